//! The one integration binary: whole rooms against real peers. `tests/run` installs and starts what it needs.

mod catalogue;
mod engines;
mod listing;
mod folder;
mod peers;
mod sftp_client;
mod sftp_server;
mod users;
mod thread;
