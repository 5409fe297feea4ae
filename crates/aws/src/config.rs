//! The configuration of a function, from its environment variables.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::egress::PublicAddress;
use crate::engine::Stack;
use loanhook_core::model::key::{KeyHash, SecretKey};
use loanhook_core::model::ledger::LedgerScope;
use loanhook_core::model::time::Timestamp;

/// A schedule spans 30 days at most, and `Retry-After` may make each of its 24 delays a day longer: a delivery that is kept
/// for less time could expire while an attempt is still due.
const MIN_RETENTION_DAYS: u64 = 60;
const DEFAULT_RETENTION_DAYS: u64 = 365;
/// Up to this size a payload that is kept for two years is cheaper in the table: see docs/cost.md.
const DEFAULT_SMALL_PAYLOAD_BYTES: u64 = 1536;
/// DynamoDB has items of at most 400 KB.
const MAX_SMALL_PAYLOAD_BYTES: u64 = 65_536;

/// The template's default of the parameter `SlowConcurrency`.
const DEFAULT_SLOW_INSTANCES: u32 = 25;

/// A variable of the environment that is missing or wrong.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name} {fault}")]
pub struct WrongVariable {
    name: &'static str,
    fault: String,
}

impl WrongVariable {
    /// The variable of this name; `fault` follows the name in a sentence, as in "is not set".
    pub fn new(name: &'static str, fault: &str) -> Self {
        Self { name, fault: fault.into() }
    }
}

/// The variables of an environment.
pub struct Variables<'a>(Box<dyn Fn(&'static str) -> Option<String> + 'a>);

impl<'a> Variables<'a> {
    pub fn new(value: impl Fn(&'static str) -> Option<String> + 'a) -> Self {
        Self(Box::new(value))
    }

    pub fn of_this_process() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    /// The value of a variable. An empty one counts as not set: a template passes a parameter that is left empty so.
    pub fn get(&self, name: &'static str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }
}

/// The configuration of a function. Each function uses only a part of it.
#[derive(Debug)]
pub struct Config {
    pub stack: Stack,
    pub allow_networks: Vec<IpNet>,
    /// The lease of a claim: the delivery function's timeout and 10 s.
    pub lease: Duration,
    /// A URL that responds with the address that requests leave from.
    pub ip_url: Option<String>,
}

impl Config {
    /// Reads the variables of this process.
    ///
    /// # Errors
    ///
    /// When one is missing or wrong.
    pub fn from_env() -> Result<Self, WrongVariable> {
        Self::read(&Variables::of_this_process())
    }

    fn read(variables: &Variables<'_>) -> Result<Self, WrongVariable> {
        let get = |name| variables.get(name);
        let needed = |name| get(name).ok_or_else(|| wrong(name, "is not set"));
        let retention_days = number(&get, "LOANHOOK_RETENTION_DAYS")?.unwrap_or(DEFAULT_RETENTION_DAYS);
        if retention_days < MIN_RETENTION_DAYS {
            let fault = format!("must be at least {MIN_RETENTION_DAYS}");
            return Err(wrong("LOANHOOK_RETENTION_DAYS", &fault));
        }
        let stack = Stack {
            table: needed("LOANHOOK_TABLE")?,
            payloads: needed("LOANHOOK_PAYLOADS_TABLE")?,
            reports: needed("LOANHOOK_REPORTS_TABLE")?,
            stream_arn: get("LOANHOOK_STREAM_ARN"),
            bucket: needed("LOANHOOK_BUCKET")?,
            small_payload: small_payload(&get)?,
            event_ledger: event_ledger(&get)?,
            queue_url: needed("LOANHOOK_QUEUE_URL")?,
            slow_queue_url: needed("LOANHOOK_SLOW_QUEUE_URL")?,
            slow_instances: slow_instances(&get)?,
            dead_letters_url: get("LOANHOOK_DLQ_URL"),
            retention: Duration::from_secs(retention_days * 24 * 3600),
            egress: list::<IpAddr>(&get, "LOANHOOK_EGRESS_IPS", "is not a list of addresses")?,
            deployed_key: deployed_key(&get)?,
            clock: Timestamp::now,
        };
        Ok(Self {
            stack,
            allow_networks: list(&get, "LOANHOOK_ALLOW_NETWORKS", "is not a list of networks")?,
            lease: Duration::from_secs(number(&get, "LOANHOOK_LEASE_SECONDS")?.unwrap_or(100)),
            ip_url: get("LOANHOOK_IP_URL"),
        })
    }

    /// The address that requests leave from. Of several static addresses it is unknown which one a request has.
    pub fn public_address(&self) -> PublicAddress {
        match (self.stack.egress.as_slice(), &self.ip_url) {
            ([address], _) => PublicAddress::Fixed(*address),
            (_, Some(url)) => PublicAddress::looked_up(url.clone()),
            _ => PublicAddress::Unknown,
        }
    }
}

fn wrong(name: &'static str, fault: &str) -> WrongVariable {
    WrongVariable::new(name, fault)
}

fn number(
    get: &impl Fn(&'static str) -> Option<String>,
    name: &'static str,
) -> Result<Option<u64>, WrongVariable> {
    get(name).map(|text| text.parse().map_err(|_| wrong(name, "is not a number"))).transpose()
}

fn slow_instances(get: &impl Fn(&'static str) -> Option<String>) -> Result<u32, WrongVariable> {
    const NAME: &str = "LOANHOOK_SLOW_CONCURRENCY";
    let instances = number(get, NAME)?.map(u32::try_from).transpose();
    Ok(instances.map_err(|_| wrong(NAME, "is too large"))?.unwrap_or(DEFAULT_SLOW_INSTANCES))
}

/// The hash of the key that the stack was deployed with: given as it is, or of the key in clear.
fn deployed_key(get: &impl Fn(&'static str) -> Option<String>) -> Result<Option<KeyHash>, WrongVariable> {
    const HASH: &str = "LOANHOOK_ADMIN_KEY_HASH";
    const KEY: &str = "LOANHOOK_ADMIN_KEY";
    match (get(HASH), get(KEY)) {
        (Some(_), Some(_)) => {
            Err(wrong(HASH, "and LOANHOOK_ADMIN_KEY are both set: only one of them may be"))
        }
        (Some(hash), None) => {
            let hash = KeyHash::from_hex(&hash);
            hash.map(Some).ok_or_else(|| wrong(HASH, "must be the SHA-256 of a key in 64 hexadecimal digits"))
        }
        (None, Some(key)) => {
            SecretKey::chosen(&key).map(|key| Some(key.hash())).map_err(|fault| wrong(KEY, fault))
        }
        (None, None) => Ok(None),
    }
}

fn small_payload(get: &impl Fn(&'static str) -> Option<String>) -> Result<usize, WrongVariable> {
    const NAME: &str = "LOANHOOK_SMALL_PAYLOAD_BYTES";
    let bytes = number(get, NAME)?.unwrap_or(DEFAULT_SMALL_PAYLOAD_BYTES);
    if bytes > MAX_SMALL_PAYLOAD_BYTES {
        return Err(wrong(NAME, &format!("must be at most {MAX_SMALL_PAYLOAD_BYTES}")));
    }
    usize::try_from(bytes).map_err(|_| wrong(NAME, "is too large"))
}

fn event_ledger(get: &impl Fn(&'static str) -> Option<String>) -> Result<LedgerScope, WrongVariable> {
    const NAME: &str = "LOANHOOK_EVENT_LEDGER";
    get(NAME).map_or(Ok(LedgerScope::default()), |text| text.parse().map_err(|fault| wrong(NAME, fault)))
}

fn list<T: std::str::FromStr>(
    get: &impl Fn(&'static str) -> Option<String>,
    name: &'static str,
    fault: &str,
) -> Result<Vec<T>, WrongVariable> {
    let text = get(name).unwrap_or_default();
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().map_err(|_| wrong(name, fault))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "lh_local_stack_admin_key";
    /// By `sha256sum`.
    const HASH_OF_KEY: &str = "1c3930137d972d7b25a38feb686253b3f0df12225c117614a706259090505a05";

    fn read(more: &[(&'static str, &str)]) -> Result<Config, WrongVariable> {
        let needed = [
            ("LOANHOOK_TABLE", "table"),
            ("LOANHOOK_PAYLOADS_TABLE", "payloads"),
            ("LOANHOOK_REPORTS_TABLE", "reports"),
            ("LOANHOOK_BUCKET", "bucket"),
            ("LOANHOOK_QUEUE_URL", "queue"),
            ("LOANHOOK_SLOW_QUEUE_URL", "slow"),
        ];
        Config::read(&Variables::new(|name| {
            let all = more.iter().chain(&needed);
            all.into_iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        }))
    }

    #[test]
    fn a_variable_that_is_unset_or_empty_has_its_default() {
        let config = read(&[("LOANHOOK_DLQ_URL", ""), ("LOANHOOK_ADMIN_KEY", "")]).expect("enough");
        assert_eq!((config.stack.dead_letters_url, config.stack.deployed_key), (None, None));
        assert_eq!(config.stack.retention, Duration::from_secs(365 * 24 * 3600));
        assert_eq!((config.stack.small_payload, config.stack.slow_instances), (1536, 25));
        assert_eq!(config.stack.event_ledger, LedgerScope::All);
    }

    #[test]
    fn the_first_key_is_given_by_its_hash_or_in_clear_and_not_both() {
        let expected = Some(KeyHash::of(KEY));
        for variable in [("LOANHOOK_ADMIN_KEY_HASH", HASH_OF_KEY), ("LOANHOOK_ADMIN_KEY", KEY)] {
            assert_eq!(read(&[variable]).expect("a key").stack.deployed_key, expected);
        }
        let both = read(&[("LOANHOOK_ADMIN_KEY_HASH", HASH_OF_KEY), ("LOANHOOK_ADMIN_KEY", KEY)]);
        let fault = both.expect_err("both").to_string();
        assert_eq!(
            fault,
            "LOANHOOK_ADMIN_KEY_HASH and LOANHOOK_ADMIN_KEY are both set: only one of them may be"
        );
    }

    #[test]
    fn lists_are_split_at_commas_and_a_wrong_variable_is_named() {
        let config = read(&[("LOANHOOK_EGRESS_IPS", "192.0.2.1, 192.0.2.2")]).expect("addresses");
        assert_eq!(config.stack.egress.len(), 2);
        assert!(matches!(config.public_address(), PublicAddress::Unknown));
        for (name, value) in [
            ("LOANHOOK_EGRESS_IPS", "here"),
            ("LOANHOOK_ALLOW_NETWORKS", "127.0.0.1/99"),
            ("LOANHOOK_RETENTION_DAYS", "59"),
            ("LOANHOOK_SMALL_PAYLOAD_BYTES", "65537"),
            ("LOANHOOK_EVENT_LEDGER", "some"),
            ("LOANHOOK_LEASE_SECONDS", "long"),
            ("LOANHOOK_SLOW_CONCURRENCY", "many"),
            ("LOANHOOK_SLOW_QUEUE_URL", ""),
            ("LOANHOOK_ADMIN_KEY", "secret"),
            ("LOANHOOK_ADMIN_KEY_HASH", "secret"),
            ("LOANHOOK_ADMIN_KEY_HASH", KEY),
            ("LOANHOOK_TABLE", ""),
        ] {
            assert_eq!(read(&[(name, value)]).expect_err(name).name, name);
        }
    }
}
