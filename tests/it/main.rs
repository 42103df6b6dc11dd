//! The one integration binary: whole rooms against real peers. `tests/run` installs and starts what it needs.

mod addresses;
mod arrows;
mod bad_input;
mod catalogue;
mod cli;
mod console;
mod console_work;
mod contract;
mod crash;
mod engines;
mod folder;
mod listing;
mod mail;
mod once;
mod orders;
mod page;
mod peers;
mod pickup;
mod prove;
mod roles;
mod settings;
mod sftp_client;
mod sftp_server;
mod thread;
mod translation;
mod users;
