//! A stored event as its pack keeps it: the row, the grouping hashes, the version of the rules that made them,
//! and the normalized JSON.

use protocol::ids::GroupHash;
use protocol::table::{BadRow, Row};

/// The first byte of a record.
const VERSION: u8 = 1;

/// One record of a pack.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Its place in the order in which everything was applied; the latest record of an event id wins.
    pub seq: u64,
    /// What is searched and counted.
    pub row: Row,
    /// The grouping hashes, primary first.
    pub hashes: Vec<GroupHash>,
    /// The version of the normalization and grouping rules.
    pub rules: u16,
    /// The normalized event, JSON.
    pub json: Vec<u8>,
}

impl StoredEvent {
    /// Writes the record's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.json.len() + 1024);
        out.push(VERSION);
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(&self.rules.to_le_bytes());
        out.push(u8::try_from(self.hashes.len()).unwrap_or(u8::MAX));
        for hash in self.hashes.iter().take(255) {
            out.extend_from_slice(&hash.0);
        }
        let at = out.len();
        out.extend_from_slice(&[0; 4]);
        self.row.encode(&mut out);
        let length = u32::try_from(out.len() - at - 4).unwrap_or(u32::MAX);
        out[at..at + 4].copy_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&self.json);
        out
    }

    /// Sets the place of a record that [`StoredEvent::encode`] wrote.
    pub fn place(record: &mut [u8], seq: u64) {
        if let Some(bytes) = record.get_mut(1..9) {
            bytes.copy_from_slice(&seq.to_le_bytes());
        }
    }

    /// Reads what [`StoredEvent::encode`] wrote.
    ///
    /// # Errors
    /// [`BadRow`] if the bytes are cut or of another version.
    pub fn decode(bytes: &[u8]) -> Result<StoredEvent, BadRow> {
        let (event, json) = Self::decode_head(bytes)?;
        Ok(StoredEvent {
            json: json.to_vec(),
            ..event
        })
    }

    /// Reads everything but the JSON, which is answered apart and uncopied.
    ///
    /// # Errors
    /// As [`StoredEvent::decode`].
    pub fn decode_head(bytes: &[u8]) -> Result<(StoredEvent, &[u8]), BadRow> {
        let (head, mut rest) = bytes.split_at_checked(12).ok_or(BadRow)?;
        if head[0] != VERSION {
            return Err(BadRow);
        }
        let seq = u64::from_le_bytes(head[1..9].try_into().map_err(|_| BadRow)?);
        let rules = u16::from_le_bytes(head[9..11].try_into().map_err(|_| BadRow)?);
        let mut hashes = Vec::with_capacity(usize::from(head[11]));
        for _ in 0..head[11] {
            let (hash, after) = rest.split_at_checked(16).ok_or(BadRow)?;
            hashes.push(GroupHash(hash.try_into().map_err(|_| BadRow)?));
            rest = after;
        }
        let (length, rest) = rest.split_at_checked(4).ok_or(BadRow)?;
        let length = u32::from_le_bytes(length.try_into().map_err(|_| BadRow)?) as usize;
        let (row, json) = rest.split_at_checked(length).ok_or(BadRow)?;
        Ok((
            StoredEvent {
                seq,
                row: Row::decode(row)?,
                hashes,
                rules,
                json: Vec::new(),
            },
            json,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_encoding() {
        let record = StoredEvent {
            seq: 77,
            row: Row {
                project: 5,
                ..Row::default()
            },
            hashes: vec![GroupHash([1; 16]), GroupHash([2; 16])],
            rules: 3,
            json: b"{}".to_vec(),
        };
        let mut bytes = record.encode();
        assert_eq!(StoredEvent::decode(&bytes), Ok(record.clone()));
        StoredEvent::place(&mut bytes, 1 << 40);
        let placed = StoredEvent {
            seq: 1 << 40,
            ..record
        };
        assert_eq!(StoredEvent::decode(&bytes), Ok(placed));
        assert!(StoredEvent::decode(&bytes[..bytes.len() - 3]).is_err());
    }
}
