//! What runs the steps: claims lanes, takes what is due step by step, runs each batch in one transaction, halves a batch
//! that fails until the poisonous piece stands alone, and sets that aside with its reason.

use std::time::Duration;

use futures::future::BoxFuture;
use tracing::Instrument;

use super::{Gateway, allocate, deliver, fulfil, invoice, push, read, trail, translate, verify};
use crate::domain::clock::Instant;
use crate::storage::effort::{Effort, Spending};
use crate::storage::journal::{NewAlert, Subject};
use crate::storage::work::{Lease, Step, Work};
use crate::storage::{Class, Connection, Failure};
use crate::waypoint::{self, BEFORE_COMMIT, BEGUN, COMMITTED};

/// After so many failures a person is told.
const ATTEMPTS_BEFORE_ALERT: i64 = 4;
/// The longest pause before failed work is tried again.
const PAUSE_MAX: chrono::Duration = chrono::Duration::minutes(30);

/// A piece of work that is not due after all: what, until when, and why.
#[derive(Debug, Clone)]
pub struct Later {
    /// The subject.
    pub subject: i64,
    /// What its lane goes by.
    pub lane_of: i64,
    /// When to look again.
    pub due: Instant,
}

/// Does all work that is due now, in all lanes that nobody else holds. How many pieces were done.
pub async fn work_once(gateway: &Gateway) -> Result<usize, Failure> {
    let now = gateway.clock.now();
    let leases = claim(gateway, now).await?;
    if leases.is_empty() {
        return Ok(0);
    }
    waypoint::pass("lanes", "claimed");
    let result = work_lanes(gateway, &leases).await;
    waypoint::pass("lanes", "before they are given back");
    let held = leases.clone();
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let held = held.clone();
            Box::pin(async move { connection.release_lanes(&held).await })
        })
        .await?;
    result
}

/// Does what is due beside a gateway that may take over at any time, and then does the rest.
pub async fn work_along(gateway: &Gateway) -> Result<(), Failure> {
    match work_once(gateway).await {
        Err(Failure::LeaseLost) => Ok(()),
        other => other.map(|_| ()),
    }
}

/// How long a lane stays claimed before another node may take it over.
fn lease(gateway: &Gateway) -> chrono::Duration {
    chrono::Duration::seconds(gateway.settings.work.lease_seconds.into())
}

/// Takes all free lanes in which work is due, until the lease ends.
pub async fn claim(gateway: &Gateway, now: Instant) -> Result<Vec<Lease>, Failure> {
    // A look before the claim: an idle node writes nothing.
    if gateway.store.read().await?.count_due(now).await? == 0 {
        return Ok(Vec::new());
    }
    let until = now + lease(gateway);
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            Box::pin(async move {
                connection
                    .claim_lanes(now, until, crate::storage::work::LANES)
                    .await
            })
        })
        .await
}

async fn work_lanes(gateway: &Gateway, leases: &[Lease]) -> Result<usize, Failure> {
    let batch = gateway.settings.work.batch.into();
    // Lanes are given back long before their lease ends, however much there is to do.
    let until = gateway.clock.now() + lease(gateway) / 2;
    let mut done = 0;
    loop {
        let mut progress = 0;
        for step in Step::ALL {
            let now = gateway.clock.now();
            let due = gateway
                .store
                .read()
                .await?
                .due_work(leases, step, now, batch)
                .await?;
            if !due.is_empty() {
                progress += due.len();
                run(gateway, leases, step, due).await?;
                break;
            }
        }
        done += progress;
        if progress == 0 || gateway.clock.now() >= until {
            return Ok(done);
        }
    }
}

/// Works until nothing is due, or `timeout` has passed. True when nothing is left due.
pub async fn settle(gateway: &Gateway, timeout: Duration) -> Result<bool, Failure> {
    let ends = std::time::Instant::now() + timeout;
    loop {
        let done = match work_once(gateway).await {
            // A gateway that starts beside us has taken over; it does the rest.
            Err(Failure::LeaseLost) => 1,
            other => other?,
        };
        let now = gateway.clock.now();
        if done == 0 {
            if gateway.store.read().await?.count_due(now).await? == 0 {
                return Ok(true);
            }
            if std::time::Instant::now() >= ends {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn run<'a>(
    gateway: &'a Gateway,
    leases: &'a [Lease],
    step: Step,
    due: Vec<Work>,
) -> BoxFuture<'a, Result<(), Failure>> {
    Box::pin(async move {
        let outcome = match step {
            // These two do more than one transaction: they read or send bytes on the way.
            Step::Read | Step::Push => {
                for work in due {
                    let mark = trail::mark(gateway, step, work.subject).await;
                    let outcome = async {
                        match step {
                            Step::Read => read::run(gateway, leases, &work).await,
                            _ => push::run(gateway, leases, &work).await,
                        }
                    };
                    match outcome.instrument(mark).await {
                        Ok(()) => trail::done(gateway, step, &[work.subject]).await,
                        Err(failure) => set_aside(gateway, step, &work, failure).await?,
                    }
                }
                return Ok(());
            }
            _ => transact(gateway, leases, step, &due).await,
        };
        match outcome {
            Ok(done) => {
                trail::done(gateway, step, &done.subjects).await;
                trail::delivered(gateway, &done.transmissions).await;
                Ok(())
            }
            Err(Failure::LeaseLost) => Err(Failure::LeaseLost),
            Err(failure) => match due.as_slice() {
                [only] => set_aside(gateway, step, only, failure).await,
                several => {
                    let (first, second) = several.split_at(several.len() / 2);
                    run(gateway, leases, step, first.to_vec()).await?;
                    run(gateway, leases, step, second.to_vec()).await
                }
            },
        }
    })
}

async fn transact(
    gateway: &Gateway,
    leases: &[Lease],
    step: Step,
    due: &[Work],
) -> Result<Done, Failure> {
    let (gateway_inside, leases, due) = (gateway.clone(), leases.to_vec(), due.to_vec());
    let class = if step == Step::Deliver {
        Class::Urgent
    } else {
        Class::Ordinary
    };
    let done = gateway
        .store
        .write(class, move |connection| {
            let (gateway, leases, due) = (gateway_inside.clone(), leases.clone(), due.clone());
            Box::pin(async move {
                let _working = Spending::begin(Effort::Working);
                connection.check_fences(&leases).await?;
                let ids: Vec<i64> = due.iter().map(|work| work.id).collect();
                // Taken off first, so that a step may ask for its own subject again.
                connection.finish_work(&ids).await?;
                let subjects: Vec<i64> = due.iter().map(|work| work.subject).collect();
                waypoint::pass(step.word(), BEGUN);
                let mut done = Done {
                    subjects,
                    transmissions: Vec::new(),
                };
                let all_later = take(&gateway, connection, step, &mut done).await?;
                for later in all_later {
                    connection
                        .ask_for(step, later.lane_of, &[later.subject], later.due)
                        .await?;
                    done.subjects.retain(|subject| *subject != later.subject);
                }
                waypoint::pass(step.word(), BEFORE_COMMIT);
                Ok(done)
            })
        })
        .await?;
    waypoint::pass(step.word(), COMMITTED);
    Ok(done)
}

/// What a transaction has done: for the log.
struct Done {
    /// The subjects of the step, without those it is too early for.
    subjects: Vec<i64>,
    /// What it has sent.
    transmissions: Vec<i64>,
}

async fn take(
    gateway: &Gateway,
    connection: &mut Connection,
    step: Step,
    done: &mut Done,
) -> Result<Vec<Later>, Failure> {
    let subjects = &done.subjects;
    match step {
        Step::Deliver => {
            deliver::step(gateway, connection, subjects, &mut done.transmissions).await
        }
        Step::Translate => translate::step(gateway, connection, subjects).await,
        Step::Verify => verify::step(gateway, connection, subjects).await,
        Step::Allocate => allocate::step(gateway, connection, subjects).await,
        Step::Fulfil => fulfil::step(gateway, connection, subjects).await,
        Step::Invoice => invoice::step(gateway, connection, subjects).await,
        Step::Read | Step::Push => Ok(Vec::new()),
    }
}

/// Puts failed work off, longer each time, and tells a person when it keeps failing.
async fn set_aside(
    gateway: &Gateway,
    step: Step,
    work: &Work,
    failure: Failure,
) -> Result<(), Failure> {
    if matches!(failure, Failure::LeaseLost) {
        return Err(failure);
    }
    let mark = trail::mark(gateway, step, work.subject).await;
    mark.in_scope(|| tracing::warn!(attempt = work.attempts + 1, %failure, "work failed"));
    let now = gateway.clock.now();
    let pause = chrono::Duration::seconds(1 << work.attempts.clamp(0, 20)).min(PAUSE_MAX);
    let (work, problem) = (work.clone(), failure.to_string());
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (work, problem) = (work.clone(), problem.clone());
            Box::pin(async move {
                connection
                    .put_off(work.id, now + pause, true, Some(&problem))
                    .await?;
                if work.attempts + 1 >= ATTEMPTS_BEFORE_ALERT {
                    connection.raise(now, stuck(step, &work, &problem)).await?;
                }
                Ok(())
            })
        })
        .await
}

fn stuck(step: Step, work: &Work, problem: &str) -> NewAlert {
    let kind = step.subject_kind();
    NewAlert {
        key: format!("stuck:{}:{}", step.word(), work.subject),
        kind: "work-stuck",
        partner: None,
        subject: Subject::new(kind, work.subject),
        message: format!(
            "The step `{}` of {kind} {} has failed {} times and is tried again at longer intervals: {problem}",
            step.word(),
            work.subject,
            work.attempts + 1
        ),
    }
}
