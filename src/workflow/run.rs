//! What runs the steps: claims lanes, takes what is due step by step, runs each batch in one transaction that goes on with
//! the orders and shipments it makes, halves a batch that fails until the poisonous piece stands alone, and sets that aside
//! with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;

use super::read::Answering;
use super::trail::Deed;
use super::{
    Gateway, allocate, deliver, fulfil, invoice, labels, outbound, push, read, trail, translate,
    verify,
};
use crate::domain::clock::Instant;
use crate::storage::effort::{Effort, Spending};
use crate::storage::journal::{NewAlert, Subject};
use crate::storage::work::{Duty, Lease, Step, Work};
use crate::storage::{Class, Connection, Failure, StoreLocation};
use crate::waypoint::{self, BEFORE_COMMIT, BEGUN, COMMITTED};

/// After so many failures a person is told.
const ATTEMPTS_BEFORE_ALERT: i64 = 4;
/// How long a worker keeps lanes that others may want.
const TENURE: chrono::Duration = chrono::Duration::seconds(2);
/// So many free lanes are not worth sharing.
const FEW_LANES: i64 = 8;
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
    let done = work_until(gateway, Duty::Everything, &|| false).await;
    gateway.all_told().await;
    done
}

/// The same of one duty until it is time to `stop`: then what is begun is ended, and no more is begun.
pub async fn work_until(
    gateway: &Gateway,
    duty: Duty,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<usize, Failure> {
    give_back(gateway, gateway.unreturned.take()).await?;
    let mut shift = Shift::new(gateway, duty);
    let result = shift.work(stop).await;
    // Where something failed, nothing goes on in a lane that others may have.
    shift.beside.shutdown().await;
    if !shift.leases.is_empty() {
        waypoint::pass("lanes", "before they are given back");
        give_back(gateway, shift.leases).await?;
    }
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

/// How long a worker keeps its lanes while others may want them. Over SQLite there is nobody else, but for commands.
fn tenure(gateway: &Gateway) -> chrono::Duration {
    let half = lease(gateway) / 2;
    match gateway.store.location() {
        StoreLocation::Sqlite(_) => half,
        StoreLocation::Postgres(_) => half.min(TENURE),
    }
}

/// What a transaction should take. Over SQLite everybody waits for the one that writes; over PostgreSQL they go side by
/// side, and a longer one has fewer round trips for each of its pieces.
fn moment(gateway: &Gateway) -> Duration {
    match gateway.store.location() {
        StoreLocation::Sqlite(_) => Duration::from_millis(50),
        StoreLocation::Postgres(_) => Duration::from_millis(100),
    }
}

/// Takes free lanes in which work of a duty is due, until the lease ends: over SQLite all of them, over PostgreSQL half, or the few
/// there are. Every worker does so in each of its rounds, so that they come to share the lanes, however many they are.
pub async fn claim(gateway: &Gateway, duty: Duty, now: Instant) -> Result<Vec<Lease>, Failure> {
    // A look before the claim: an idle node writes nothing.
    let mut connection = gateway.store.read().await?;
    let free = connection.free_lanes_due(duty, now).await?;
    drop(connection);
    if free == 0 {
        return Ok(Vec::new());
    }
    let most = match gateway.store.location() {
        StoreLocation::Sqlite(_) => free,
        StoreLocation::Postgres(_) => (free / 2).max(FEW_LANES),
    };
    let until = now + lease(gateway);
    let leases = gateway
        .store
        .write(Class::Urgent, move |connection| {
            Box::pin(async move { connection.claim_lanes(duty, now, until, most).await })
        })
        .await?;
    if !leases.is_empty() {
        waypoint::pass("lanes", "claimed");
    }
    Ok(leases)
}

async fn give_back(gateway: &Gateway, leases: Vec<Lease>) -> Result<(), Failure> {
    if leases.is_empty() {
        return Ok(());
    }
    let returned = leases.clone();
    let outcome = gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let leases = returned.clone();
            Box::pin(async move { connection.release_lanes(&leases).await })
        })
        .await;
    if outcome.is_err() {
        gateway.unreturned.add(leases);
    }
    outcome
}

/// Lanes that could not be given back, as on a full disk: they are before work begins anew, so that nobody waits for the end
/// of their leases.
#[derive(Debug, Default)]
pub(super) struct Unreturned(Mutex<Vec<Lease>>);

impl Unreturned {
    fn add(&self, leases: Vec<Lease>) {
        self.lock().extend(leases);
    }

    fn take(&self) -> Vec<Lease> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Lease>> {
        // Whoever panicked with it had added some or taken all: the list is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file of more bytes is read beside the rounds, so that others are not kept waiting.
const LARGE: i64 = 1 << 20;
/// Files that are read together.
const READ_TOGETHER: usize = 32;
/// Files that are read at the same time.
const READ_SIDE_BY_SIDE: usize = 4;
/// The steps that no partner waits for, furthest down the path first: what is begun is ended before more is begun.
const DOWNSTREAM: [Step; 5] = [
    Step::Invoice,
    Step::Fulfil,
    Step::Allocate,
    Step::Verify,
    Step::Translate,
];

/// A step and a lane of which nothing goes on beside the rounds any more, and how that ended.
type Beside = (Step, i64, Result<(), Failure>);

/// The lanes that a worker holds, and what it does in them beside everything else.
///
/// It works in rounds: reads what was received, delivers what is to be answered, and then does one batch of what is left.
/// So a partner waits for its acknowledgment no longer than a batch takes, however much there is to do.
struct Shift<'g> {
    gateway: &'g Gateway,
    duty: Duty,
    leases: Vec<Lease>,
    /// When to let others have the lanes.
    until: Instant,
    /// Large files that are read and servers that are sent to, each in a lane where its step is not taken up meanwhile.
    beside: JoinSet<Beside>,
    busy: BTreeSet<(Step, i64)>,
}

impl<'g> Shift<'g> {
    fn new(gateway: &'g Gateway, duty: Duty) -> Self {
        Self {
            gateway,
            duty,
            leases: Vec::new(),
            until: gateway.now() + tenure(gateway),
            beside: JoinSet::new(),
            busy: BTreeSet::new(),
        }
    }

    async fn work(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> Result<usize, Failure> {
        let mut done = 0;
        while !stop() {
            let now = self.gateway.now();
            if now >= self.until {
                if self.busy.is_empty() {
                    return Ok(done);
                }
                self.give_back_idle(now).await?;
            }
            let claimed = claim(self.gateway, self.duty, now).await?;
            // One of ours among them: the clock went beyond its lease.
            self.leases
                .retain(|lease| claimed.iter().all(|other| other.id != lease.id));
            self.leases.extend(claimed);
            while let Some(ended) = self.beside.try_join_next() {
                self.ended(ended)?;
            }
            let progress = match self.leases.is_empty() {
                true => 0,
                false => self.round().await?,
            };
            done += progress;
            if progress == 0 {
                if self.busy.is_empty() {
                    return Ok(done);
                }
                let look = self.gateway.settings.work.poll_milliseconds.max(10);
                tokio::select! {
                    Some(ended) = self.beside.join_next() => self.ended(ended)?,
                    () = self.gateway.woken(self.duty) => {}
                    () = tokio::time::sleep(Duration::from_millis(look.into())) => {}
                }
            }
        }
        while let Some(ended) = self.beside.join_next().await {
            self.ended(ended)?;
        }
        Ok(done)
    }

    /// Lets others have all lanes but those in which something goes on, which are kept for longer.
    async fn give_back_idle(&mut self, now: Instant) -> Result<(), Failure> {
        let (kept, idle): (Vec<Lease>, Vec<Lease>) = self
            .leases
            .iter()
            .partition(|lease| self.busy.iter().any(|(_, lane)| *lane == lease.id));
        give_back(self.gateway, idle).await?;
        let until = now + lease(self.gateway);
        let prolonged = kept.clone();
        self.gateway
            .store
            .write(Class::Urgent, move |connection| {
                let prolonged = prolonged.clone();
                Box::pin(async move {
                    connection.check_fences(&prolonged).await?;
                    connection.prolong_lanes(&prolonged, until).await
                })
            })
            .await?;
        self.leases = kept;
        self.until = now + tenure(self.gateway);
        Ok(())
    }

    fn ended(&mut self, ended: Result<Beside, JoinError>) -> Result<(), Failure> {
        let (step, lane, outcome) = ended.map_err(|_| Failure::Stopping)?;
        self.busy.remove(&(step, lane));
        outcome
    }

    /// The lanes in which a step can be taken up.
    fn free(&self, step: Step) -> Vec<Lease> {
        let mut leases = self.leases.clone();
        leases.retain(|lease| !self.busy.contains(&(step, lease.id)));
        leases
    }

    async fn due(&self, step: Step, most: usize) -> Result<Vec<Work>, Failure> {
        let most = most.min(self.gateway.settings.work.batch as usize).max(1);
        let now = self.gateway.now();
        let mut connection = self.gateway.store.read().await?;
        connection
            .due_work(&self.free(step), step, now, most as i64)
            .await
    }

    async fn round(&mut self) -> Result<usize, Failure> {
        let now = self.gateway.now();
        let mut connection = self.gateway.store.read().await?;
        let steps = connection.steps_due(&self.leases, now).await?;
        drop(connection);
        let mut done = 0;
        if steps.contains(&Step::Read) {
            done += self.read().await?;
        }
        if steps.contains(&Step::Deliver) {
            done += self.batch(Step::Deliver).await?;
        }
        if steps.contains(&Step::Push) {
            done += self.push().await?;
        }
        for step in DOWNSTREAM.into_iter().filter(|step| steps.contains(step)) {
            let progress = self.batch(step).await?;
            if progress > 0 {
                return Ok(done + progress);
            }
        }
        Ok(done)
    }

    async fn batch(&mut self, step: Step) -> Result<usize, Failure> {
        let most = self.gateway.pace.most(step, moment(self.gateway));
        let due = self.due(step, most).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let progress = due.len();
        let began = std::time::Instant::now();
        run(self.gateway, &self.leases, step, due).await?;
        self.gateway.pace.note(step, progress, began.elapsed());
        Ok(progress)
    }

    /// Reads what is small together, and begins to read what is large.
    async fn read(&mut self) -> Result<usize, Failure> {
        let due = self.due(Step::Read, READ_TOGETHER).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let files: Vec<i64> = due.iter().map(|work| work.subject).collect();
        let large = self
            .gateway
            .store
            .read()
            .await?
            .files_larger_than(&files, LARGE)
            .await?;
        // Of a lane with a large file only what comes before it: what one connection brings is read in order.
        let mut small = Vec::with_capacity(due.len());
        let mut behind = BTreeSet::new();
        let mut begun = 0;
        for work in due {
            if behind.contains(&work.lane) {
                continue;
            }
            if !large.contains(&work.subject) {
                small.push(work);
                continue;
            }
            behind.insert(work.lane);
            if small.iter().all(|before| before.lane != work.lane) {
                begun += 1;
                self.begin_beside(Step::Read, vec![work]);
            }
        }
        let read = small.len();
        if read > 0 {
            read_together(self.gateway, &self.leases, small).await?;
        }
        Ok(read + begun)
    }

    /// Begins to send to partners' own servers, lane by lane.
    async fn push(&mut self) -> Result<usize, Failure> {
        let due = self.due(Step::Push, usize::MAX).await?;
        let begun = due.len();
        let mut lanes: BTreeMap<i64, Vec<Work>> = BTreeMap::new();
        for work in due {
            lanes.entry(work.lane).or_default().push(work);
        }
        for works in lanes.into_values() {
            self.begin_beside(Step::Push, works);
        }
        Ok(begun)
    }

    /// Does pieces of work of one lane in order, beside everything else.
    fn begin_beside(&mut self, step: Step, works: Vec<Work>) {
        let Some(lane) = works.first().map(|work| work.lane) else {
            return;
        };
        let (gateway, leases) = (self.gateway.clone(), held(&self.leases, &works));
        self.busy.insert((step, lane));
        self.beside.spawn(async move {
            let outcome = one_by_one(&gateway, &leases, step, works).await;
            (step, lane, outcome)
        });
    }
}

/// The leases of the lanes that these pieces of work are in.
fn held(leases: &[Lease], works: &[Work]) -> Vec<Lease> {
    let mut held = leases.to_vec();
    held.retain(|lease| works.iter().any(|work| work.lane == lease.id));
    held
}

/// Does pieces of work of the two steps that take more than a transaction: these read or send bytes on the way.
async fn one_by_one(
    gateway: &Gateway,
    leases: &[Lease],
    step: Step,
    works: Vec<Work>,
) -> Result<(), Failure> {
    for work in works {
        let mark = trail::mark(gateway, step, work.subject).await;
        let outcome = async {
            match step {
                Step::Push => push::run(gateway, leases, &work).await,
                _ => match read_alone(gateway, leases, &work).await? {
                    Some(ending) => read::end(gateway, leases, vec![ending], Answering::Apart)
                        .await
                        .map(drop),
                    None => Ok(()),
                },
            }
        };
        match outcome.instrument(mark).await {
            Ok(()) => {
                trail::done(gateway, vec![Deed::step(step, vec![work.subject])]).await;
                unstick(gateway, step, std::slice::from_ref(&work)).await?;
            }
            Err(failure) => set_aside(gateway, step, &work, failure).await?,
        }
    }
    Ok(())
}

async fn read_alone(
    gateway: &Gateway,
    leases: &[Lease],
    work: &Work,
) -> Result<Option<read::Ending>, Failure> {
    let lying = read::look_up(gateway, &[work.subject])
        .await?
        .remove(&work.subject);
    read::run(gateway, leases, work, lying).await
}

fn read_marked<'a>(
    gateway: &'a Gateway,
    leases: &'a [Lease],
    work: &'a Work,
    lying: Option<read::Lying>,
) -> BoxFuture<'a, Result<Option<read::Ending>, Failure>> {
    Box::pin(async move {
        let mark = trail::mark(gateway, Step::Read, work.subject).await;
        read::run(gateway, leases, work, lying)
            .instrument(mark)
            .await
    })
}

/// Reads small files side by side and settles what they come to in one transaction, in their order; one by one where
/// that fails.
async fn read_together(
    gateway: &Gateway,
    leases: &[Lease],
    mut works: Vec<Work>,
) -> Result<(), Failure> {
    let leases = held(leases, &works);
    let files: Vec<i64> = works.iter().map(|work| work.subject).collect();
    let Ok(mut lying) = read::look_up(gateway, &files).await else {
        return one_by_one(gateway, &leases, Step::Read, works).await;
    };
    let readings: Vec<_> = works
        .iter()
        .map(|work| read_marked(gateway, &leases, work, lying.remove(&work.subject)))
        .collect();
    let readings: Vec<_> = stream::iter(readings)
        .buffered(READ_SIDE_BY_SIDE)
        .collect()
        .await;
    let (mut read, mut endings) = (Vec::new(), Vec::new());
    for (work, outcome) in works.iter().zip(readings) {
        match outcome {
            Ok(ending) => {
                read.push(work.subject);
                endings.extend(ending);
            }
            Err(failure) => set_aside(gateway, Step::Read, work, failure).await?,
        }
    }
    match read::end(gateway, &leases, endings, Answering::AtOnce).await {
        Ok(sent) => {
            works.retain(|work| read.contains(&work.subject));
            let deeds = vec![Deed::step(Step::Read, read), Deed::delivered(sent)];
            trail::done(gateway, deeds).await;
            unstick(gateway, Step::Read, &works).await
        }
        Err(Failure::LeaseLost) => Err(Failure::LeaseLost),
        Err(failure) => {
            tracing::warn!(%failure, "files that were read together are read once more, one by one");
            let again = works
                .into_iter()
                .filter(|work| read.contains(&work.subject));
            one_by_one(gateway, &leases, Step::Read, again.collect()).await
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
        let went_on = Arc::new(AtomicBool::new(false));
        let whole = transact(gateway, leases, step, &due, Way::Whole(went_on.clone())).await;
        let outcome = match whole {
            Err(Failure::LeaseLost) => return Err(Failure::LeaseLost),
            Err(failure) if due.len() == 1 && went_on.load(Ordering::Relaxed) => {
                tracing::warn!(step = step.word(), %failure, "a later step failed; this one is done alone");
                transact(gateway, leases, step, &due, Way::OneStep).await
            }
            other => other,
        };
        match outcome {
            Ok(done) => {
                let steps = done.steps.into_iter();
                let deeds = steps.map(|(step, subjects)| Deed::step(step, subjects));
                let deeds = deeds.chain([Deed::delivered(done.transmissions)]);
                trail::done(gateway, deeds.collect()).await;
                unstick(gateway, step, &due).await
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

/// How far one transaction takes its subjects.
#[derive(Debug, Clone)]
enum Way {
    /// Through what the step asks for as well, and through what that asks for, as far as it is due and of what the
    /// transaction has made itself: an order is read and written once for all of them. Tells whether it went on.
    Whole(Arc<AtomicBool>),
    /// Through its own step: another on the way has failed, and is to fail on its own.
    OneStep,
}

async fn transact(
    gateway: &Gateway,
    leases: &[Lease],
    step: Step,
    due: &[Work],
    way: Way,
) -> Result<Done, Failure> {
    let (gateway_inside, leases, due) = (gateway.clone(), held(leases, due), due.to_vec());
    let class = if step == Step::Deliver {
        Class::Urgent
    } else {
        labels::take_ahead(gateway).await?;
        Class::Ordinary
    };
    let done = gateway
        .store
        .write(class, move |connection| {
            let gateway = gateway_inside.building_beside();
            let (leases, due, way) = (leases.clone(), due.clone(), way.clone());
            Box::pin(async move {
                let _working = Spending::begin(Effort::Working);
                connection.check_fences(&leases).await?;
                let ids: Vec<i64> = due.iter().map(|work| work.id).collect();
                // Taken off first, so that a step may ask for its own subject again.
                connection.finish_work(&ids).await?;
                let mut done = Done::default();
                let subjects: Vec<i64> = due.iter().map(|work| work.subject).collect();
                for part in subjects.chunks(part_of(&gateway, subjects.len())) {
                    let mut next = Some((step, part.to_vec()));
                    while let Some((step, subjects)) = next {
                        take(&gateway, connection, step, subjects, &mut done).await?;
                        next = match &way {
                            Way::Whole(went_on) => {
                                let most = |step| gateway.pace.most(step, moment(&gateway));
                                let asked = connection.take_asked(step, gateway.now(), most);
                                went_on.fetch_or(asked.is_some(), Ordering::Relaxed);
                                asked
                            }
                            Way::OneStep => None,
                        };
                    }
                }
                // Documents are still being built meanwhile.
                connection.write_changes().await?;
                outbound::queue_built(&gateway, connection).await?;
                // As late as can be: whoever promises the same items waits for those rows until this commits.
                connection.write_stock().await?;
                if let Way::Whole(went_on) = &way {
                    went_on.fetch_or(connection.has_queued(), Ordering::Relaxed);
                    let partners =
                        deliver::fresh(&gateway, connection, &mut done.transmissions).await?;
                    if !partners.is_empty() {
                        done.steps.push((Step::Deliver, partners));
                    }
                }
                for (step, _) in &done.steps {
                    waypoint::pass(step.word(), BEFORE_COMMIT);
                }
                Ok(done)
            })
        })
        .await?;
    for (step, _) in &done.steps {
        waypoint::pass(step.word(), COMMITTED);
    }
    Ok(done)
}

/// What a transaction has done: for the log.
#[derive(Default)]
struct Done {
    /// The steps, each with its subjects, without those it is too early for.
    steps: Vec<(Step, Vec<i64>)>,
    /// What it has sent.
    transmissions: Vec<i64>,
}

async fn take(
    gateway: &Gateway,
    connection: &mut Connection,
    step: Step,
    mut subjects: Vec<i64>,
    done: &mut Done,
) -> Result<(), Failure> {
    waypoint::pass(step.word(), BEGUN);
    let (began, pieces) = (std::time::Instant::now(), subjects.len());
    let all_later = match step {
        Step::Deliver => {
            deliver::step(gateway, connection, &subjects, &mut done.transmissions).await?
        }
        Step::Translate => translate::step(gateway, connection, &subjects).await?,
        Step::Verify => verify::step(gateway, connection, &subjects).await?,
        Step::Allocate => allocate::step(gateway, connection, &subjects).await?,
        Step::Fulfil => fulfil::step(gateway, connection, &subjects).await?,
        Step::Invoice => invoice::step(gateway, connection, &subjects).await?,
        Step::Read | Step::Push => Vec::new(),
    };
    for later in all_later {
        connection
            .ask_for(step, later.lane_of, &[later.subject], later.due)
            .await?;
        subjects.retain(|subject| *subject != later.subject);
    }
    // Of the first step it is noted how long all of them took.
    if done.steps.first().is_some_and(|(first, _)| *first != step) {
        gateway.pace.note(step, pieces, began.elapsed());
    }
    match done.steps.iter_mut().find(|(known, _)| *known == step) {
        Some((_, before)) => before.extend(subjects),
        None => done.steps.push((step, subjects)),
    }
    Ok(())
}

/// How many subjects go through the steps at once. Over SQLite a transaction takes its own in two parts: the documents of the
/// first are built while it decides on the second. Over PostgreSQL others decide meanwhile, and each statement is a
/// round trip.
fn part_of(gateway: &Gateway, subjects: usize) -> usize {
    const WORTH_TWO: usize = 8;
    match gateway.store.location() {
        StoreLocation::Sqlite(_) if subjects >= WORTH_TWO => subjects.div_ceil(2),
        _ => subjects.max(1),
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

/// Clears what was told of these pieces of work while they failed. A kill before leaves it to a person to clear.
async fn unstick(gateway: &Gateway, step: Step, done: &[Work]) -> Result<(), Failure> {
    let keys: Vec<String> = done
        .iter()
        .filter(|work| work.attempts >= ATTEMPTS_BEFORE_ALERT)
        .map(|work| stuck_key(step, work))
        .collect();
    if keys.is_empty() {
        return Ok(());
    }
    let now = gateway.clock.now();
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let keys = keys.clone();
            Box::pin(async move {
                for key in &keys {
                    connection.clear_alert_of_key(now, key).await?;
                }
                Ok(())
            })
        })
        .await
}

/// By the number of the work: the same step of the same subject may stick again, and is told again.
fn stuck_key(step: Step, work: &Work) -> String {
    format!("stuck:{}:{}:{}", step.word(), work.subject, work.id)
}

fn stuck(step: Step, work: &Work, problem: &str) -> NewAlert {
    let kind = step.subject_kind();
    NewAlert {
        key: stuck_key(step, work),
        kind: "work-stuck",
        partner: None,
        subject: Subject::new(kind, work.subject),
        message: format!(
            "The step `{}` of {kind} {} has failed {} times and is tried again at longer intervals: {problem}\nWhat to do: mend what it names (a message of the database: see to the database); nothing is lost, and it goes on by itself at the next attempt, at the latest after {} minutes.",
            step.word(),
            work.subject,
            work.attempts + 1,
            PAUSE_MAX.num_minutes()
        ),
    }
}
