//! What went out: files with their bytes, the documents in them, the counters of control numbers.

use crate::binds;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

row! {
    /// A file to a partner, with its bytes where they stand in one row.
    #[derive(Debug)]
    pub struct KeptTransmission {
        /// Its number.
        pub id: i64,
        /// production or test.
        pub mode: String,
        /// Control number.
        pub isa13: String,
        /// 997, 855 …
        pub set_code: String,
        /// Its name.
        pub name: String,
        /// Address of its bytes.
        pub sha256: String,
        /// Bytes, as its row says.
        pub size: i64,
        /// queued, delivered, picked_up, uncertain, failed.
        pub state: String,
        /// When it was delivered.
        pub delivered_at: Option<i64>,
        /// When it was fetched.
        pub picked_up_at: Option<i64>,
        /// Bytes, as the content's row says; none: there is no such row.
        pub kept_size: Option<i64>,
        /// The bytes, where they are few.
        pub bytes: Option<Vec<u8>>,
        /// 1 where these are compressed.
        pub compressed: Option<i64>,
        /// 1 where the work `push` waits for it.
        pub to_push: i64,
    }
}

row! {
    /// A document in a file to a partner.
    #[derive(Debug)]
    pub struct KeptPart {
        /// Its number.
        pub id: i64,
        /// Its file.
        pub transmission_id: i64,
        /// Its set.
        pub set_code: String,
        /// ISA13.
        pub isa13: String,
        /// GS06.
        pub gs06: String,
        /// ST02.
        pub st02: String,
        /// Where its ST begins.
        pub byte_offset: Option<i64>,
        /// Its bytes.
        pub size: Option<i64>,
        /// Delivery.
        pub delivery: String,
    }
}

impl KeptTransmission {
    /// The bytes of its row, and whether they are compressed.
    pub fn in_row(&self) -> Option<(&[u8], bool)> {
        Some((self.bytes.as_deref()?, self.compressed == Some(1)))
    }
}

impl Connection {
    /// Files to partners after `after`, in order of number.
    pub async fn kept_transmissions(
        &mut self,
        after: i64,
        most: i64,
    ) -> Result<Vec<KeptTransmission>, Failure> {
        self.rows(
            "SELECT transmission.id, transmission.mode, transmission.isa13, transmission.set_code, transmission.name,
                 transmission.sha256, transmission.size, transmission.state, transmission.delivered_at,
                 transmission.picked_up_at, content.size AS kept_size, content.bytes, content.compressed,
                 (SELECT COUNT(*) FROM work WHERE step = 'push' AND subject = transmission.id) AS to_push
             FROM transmission LEFT JOIN content ON content.sha256 = transmission.sha256
             WHERE transmission.id > $1 ORDER BY transmission.id LIMIT $2",
            binds![after, most],
        )
        .await
    }

    /// The documents in files `first` to `last`, in the order they stand there.
    pub async fn kept_parts(&mut self, first: i64, last: i64) -> Result<Vec<KeptPart>, Failure> {
        self.rows(
            "SELECT id, transmission_id, set_code, isa13, gs06, st02, byte_offset, size, delivery FROM document
             WHERE transmission_id BETWEEN $1 AND $2 ORDER BY transmission_id, byte_offset, id",
            binds![first, last],
        )
        .await
    }

    /// Every counter whose scope begins with `prefix`: scope, last number taken.
    pub async fn counters(&mut self, prefix: &str) -> Result<Vec<(String, i64)>, Failure> {
        self.rows(
            "SELECT scope, value FROM counter WHERE substr(scope, 1, length($1)) = $1 ORDER BY scope",
            binds![prefix],
        )
        .await
    }

    /// Lanes that the work is spread over.
    pub async fn count_lanes(&mut self) -> Result<i64, Failure> {
        self.number("SELECT COUNT(*) FROM lane", vec![]).await
    }
}
