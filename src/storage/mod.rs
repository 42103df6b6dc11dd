//! Every line of SQL. SQLite and PostgreSQL behind one door: [`Store`].
//!
//! One source of SQL wherever the dialects agree: `$1` parameters, integers as 64 bits, instants as microseconds, dates
//! as ISO text. A query that passes on one engine only is not written yet.

/// Whose a file `f` is that came over the connection `c`: its sender's, where one was read in it, else the connection's.
macro_rules! partner_of_file {
    () => {
        "COALESCE(f.partner_id, c.partner_id)"
    };
}

/// Connections with each partner that sends and receives over them: the one it was made for, and those of whom an address
/// speaks over it.
macro_rules! speakers {
    () => {
        "(SELECT id AS connection_id, partner_id FROM connection UNION
          SELECT link.connection_id, edi_address.partner_id FROM address_connection link
          JOIN edi_address ON edi_address.id = link.address_id)"
    };
}

#[macro_use]
pub mod row;

mod announcement;
pub mod backup;
pub mod catalogue;
pub mod connection;
pub(crate) mod console;
pub mod content;
pub mod documents;
pub mod effort;
pub mod failure;
pub mod files;
pub mod invoices;
pub mod journal;
mod kept;
pub mod labels;
pub mod listing;
pub mod objects;
mod opening;
pub mod orders;
pub mod partners;
pub mod payments;
pub mod proof;
mod recall;
pub mod receipts;
pub mod seals;
pub(crate) mod sessions;
pub mod shipments;
mod sqlite;
pub mod stock;
pub mod store;
pub mod trail;
pub mod users;
pub mod work;

pub use connection::{Bind, Connection};
pub use failure::Failure;
pub use row::Readable;
pub use store::{Class, Store, StoreLocation};
