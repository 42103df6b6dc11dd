//! The console: server-rendered pages for operations and accounts receivable, in the binary with all they need.
//!
//! Reads through storage's read-only queries, changes state only through workflow. Holds no SQL and takes no decisions.

mod assets;
mod chart;
mod editor;
mod export;
mod gate;
mod gauges;
mod page;
mod pages;
mod reading;
mod show;
mod states;
pub(crate) mod text;
mod trouble;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{get, post};

use crate::config::settings::Settings;
use crate::domain::clock::Instant;
use crate::storage::Store;
use crate::storage::console::overview;
use crate::workflow::Gateway;

use gate::throttle::Throttle;

/// Passwords that are hashed at the same time, at most: each takes 19 MB and a core.
const HASHING_MAX: usize = 2;

/// What every page works with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Console(Arc<House>);

struct House {
    gateway: Gateway,
    throttle: Throttle,
    hashing: tokio::sync::Semaphore,
}

impl Console {
    fn gateway(&self) -> &Gateway {
        &self.0.gateway
    }
    fn store(&self) -> &Store {
        &self.0.gateway.store
    }
    fn settings(&self) -> &Settings {
        &self.0.gateway.settings
    }
    fn now(&self) -> Instant {
        self.0.gateway.now()
    }
    fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    /// The clock as pages show it, in the first company's zone.
    fn calendar(&self) -> show::Calendar {
        let zone = self
            .settings()
            .company
            .first()
            .map_or(chrono_tz::UTC, |company| company.time_zone);
        show::Calendar {
            now: self.now(),
            zone,
        }
    }

    /// Waits for a turn to hash a password.
    async fn hashing(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.0.hashing.acquire().await.ok()
    }
}

/// The console and the probes (`/health`, `/ready`, `/metrics`), to be served on any listener.
pub fn router(gateway: Gateway) -> Router {
    let console = Console(Arc::new(House {
        gateway,
        throttle: Throttle::default(),
        hashing: tokio::sync::Semaphore::new(HASHING_MAX),
    }));
    let assets = Router::new()
        .route("/assets/{digest}/{name}", get(assets::serve))
        .layer(tower_http::compression::CompressionLayer::new());
    Router::new()
        .route(
            "/login",
            get(gate::sign_in::form).post(gate::sign_in::enter),
        )
        .route("/logout", post(gate::sign_in::leave))
        .merge(pages::router())
        .fallback(nowhere)
        .layer(middleware::from_fn_with_state(console.clone(), page::dress))
        .merge(assets)
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(gauges::page))
        .layer(middleware::from_fn(page::guard))
        .with_state(console)
}

async fn nowhere() -> trouble::Trouble {
    trouble::Trouble::NotFound("page")
}

/// The process runs.
async fn health() -> &'static str {
    "ok\n"
}

/// The process runs and its database answers.
async fn ready(State(console): State<Console>) -> (StatusCode, &'static str) {
    let answered = async { overview::answers(&mut console.store().read().await?).await };
    match answered.await {
        Ok(true) => (StatusCode::OK, "ready\n"),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer\n",
        ),
    }
}
