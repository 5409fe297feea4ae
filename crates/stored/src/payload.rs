//! Stored payload: where the bytes are that were sent or came back.

use loanhook_core::model::payload::Payload;
use serde::{Deserialize, Serialize};

use crate::values::StoredHash;

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct StoredPayload {
    key: Option<StoredHash>,
    bytes: u64,
}

impl From<Payload> for StoredPayload {
    fn from(payload: Payload) -> Self {
        let Payload { key, bytes } = payload;
        Self { key: key.map(StoredHash), bytes }
    }
}

impl From<StoredPayload> for Payload {
    fn from(stored: StoredPayload) -> Self {
        let StoredPayload { key, bytes } = stored;
        Self { key: key.map(|StoredHash(key)| key), bytes }
    }
}
