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

/// An invocation takes a minute at most, and clocks differ by less than another one.
const DEFAULT_FORMER_KEY_SECONDS: u64 = 120;

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
            kms_key: get("LOANHOOK_KMS_KEY"),
            // Less is for tests, whose invocations are short.
            former_key_in_use: Duration::from_secs(
                number(&get, "LOANHOOK_FORMER_KEY_SECONDS")?.unwrap_or(DEFAULT_FORMER_KEY_SECONDS),
            ),
            small_payload: small_payload(&get)?,
            event_ledger: event_ledger(&get)?,
            queue_url: needed("LOANHOOK_QUEUE_URL")?,
            slow_queue_url: needed("LOANHOOK_SLOW_QUEUE_URL")?,
            slow_instances: slow_instances(&get)?,
            job_queue_url: needed("LOANHOOK_JOB_QUEUE_URL")?,
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
#[path = "config_tests.rs"]
mod tests;
