//! Networks as arguments of the command line.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// A comma-separated list of networks (`10.0.0.0/8`) and addresses, each of which is a network of one address.
#[derive(Clone, Debug)]
pub(super) struct Networks(pub(super) Vec<IpNet>);

impl FromStr for Networks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(parse_network)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("`{text}` is neither a network such as 10.0.0.0/8 nor an address"))
}

#[cfg(test)]
mod tests {
    use super::Networks;

    #[test]
    fn a_list_holds_networks_and_addresses() {
        let networks = |text: &str| {
            text.parse::<Networks>()
                .map(|networks| networks.0.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(
            networks("10.0.0.0/8, 127.0.0.1,,::1"),
            Ok(vec!["10.0.0.0/8".to_owned(), "127.0.0.1/32".to_owned(), "::1/128".to_owned()])
        );
        assert_eq!(networks(""), Ok(vec![]));
        assert!(networks("example.com").is_err());
    }
}
