//! Supercargo: a self-hosted EDI order-to-cash gateway.
//!
//! ARCHITECTURE.md shows the rooms and the one-way arrows between them.

pub mod cli;
pub mod config;
pub mod domain;
pub mod notify;
pub mod service;
pub mod storage;
pub mod translation;
pub mod transport;
pub mod waypoint;
pub mod web;
pub mod workflow;

/// Of every program of this crate, so that what is tested and measured allocates as what is shipped does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
