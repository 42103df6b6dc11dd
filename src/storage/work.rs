//! Work to be done, found in the database. A lane is claimed as a whole, so that order within it is kept; its fence is
//! checked in the transaction that has the effect.

use std::collections::BTreeMap;

use super::connection::{Bind, Connection, list};
use super::failure::Failure;
use super::kept::{Changed, Kept};
use crate::binds;
use crate::domain::clock::Instant;
use crate::domain::ids::{OrderId, ShipmentId};

/// How many lanes received files are spread over, and how many everything else.
const EACH: i64 = 64;
/// The lane of whoever seals; no work is ever in it.
pub const SEALER: i64 = EACH;
/// The first lane of received files.
const OF_FILES: i64 = SEALER + 1;
/// How many lanes there are: migrations make them.
pub const LANES: i64 = OF_FILES + EACH;

/// What a worker is there for. Received files have lanes of their own, so that a worker that is there for them alone
/// acknowledges them whatever else there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Whatever is due.
    Everything,
    /// Received files.
    Files,
    /// All that comes of them.
    TheRest,
}

impl Duty {
    /// The first and the last of the lanes with work of this duty.
    fn lanes(self) -> (i64, i64) {
        match self {
            Self::Everything => (0, LANES - 1),
            Self::Files => (OF_FILES, LANES - 1),
            Self::TheRest => (0, SEALER - 1),
        }
    }
}

/// The lane of a step on what goes by this number.
fn lane(step: Step, lane_of: i64) -> i64 {
    let nth = lane_of.rem_euclid(EACH);
    match step {
        Step::Read => OF_FILES + nth,
        _ => nth,
    }
}

/// The steps that work waits for, in the order of the path of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Judge a received file: envelope, duplicates, syntax; acknowledge. Subject: the file.
    Read,
    /// Build interchanges of what is queued for a partner and hand them to its connection. Subject: the partner.
    Deliver,
    /// Turn an accepted transaction set into its effect. Subject: the document.
    Translate,
    /// Verify an order. Subject: the order.
    Verify,
    /// Promise stock to an order and answer it. Subject: the order.
    Allocate,
    /// Let a planned shipment go once its window is open. Subject: the shipment.
    Fulfil,
    /// Bill what shipped. Subject: the shipment.
    Invoice,
    /// Push a file to the partner's own server. Subject: the transmission.
    Push,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Deliver,
        Self::Translate,
        Self::Verify,
        Self::Allocate,
        Self::Fulfil,
        Self::Invoice,
        Self::Push,
    ];

    /// The word in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Deliver => "deliver",
            Self::Translate => "translate",
            Self::Verify => "verify",
            Self::Allocate => "allocate",
            Self::Fulfil => "fulfil",
            Self::Invoice => "invoice",
            Self::Push => "push",
        }
    }

    /// What its subject is.
    pub fn subject_kind(self) -> &'static str {
        match self {
            Self::Read => "file",
            Self::Translate => "document",
            Self::Verify | Self::Allocate => "order",
            Self::Fulfil | Self::Invoice => "shipment",
            Self::Deliver => "partner",
            Self::Push => "transmission",
        }
    }

    /// The step of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.word() == word)
    }
}

row! {
    /// A lane in this node's hands.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Lease {
        /// Which lane.
        pub id: i64,
        /// Rises with every claim; a transaction with an older one has lost it.
        pub fence: i64,
    }
}

row! {
    /// One piece of work.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Work {
        /// Its number.
        pub id: i64,
        /// Its lane.
        pub lane: i64,
        /// Which step.
        pub step: String,
        /// What it is about.
        pub subject: i64,
        /// How often it failed.
        pub attempts: i64,
    }
}

/// What is asked for: step and subject, with its lane and when it is due.
pub(super) type Asked = BTreeMap<(Step, i64), (i64, Instant)>;

impl Connection {
    /// Asks for a step on a subject, due at `due`. Asking again while it waits moves it forward, never back.
    pub async fn ask_for(
        &mut self,
        step: Step,
        lane_of: i64,
        subjects: &[i64],
        due: Instant,
    ) -> Result<(), Failure> {
        let pairs: Vec<(i64, i64)> = subjects.iter().map(|subject| (lane_of, *subject)).collect();
        self.ask_for_each(step, &pairs, due).await
    }

    /// Asks for a step on many subjects, each `(what its lane goes by, subject)`.
    pub async fn ask_for_each(
        &mut self,
        step: Step,
        pairs: &[(i64, i64)],
        due: Instant,
    ) -> Result<(), Failure> {
        let asked = &mut self.kept()?.asked;
        for (lane_of, subject) in pairs {
            let lane = lane(step, *lane_of);
            let (_, earliest) = asked.entry((step, *subject)).or_insert((lane, due));
            *earliest = due.min(*earliest);
        }
        Ok(())
    }

    /// Writes down what was asked for: the last that a transaction does, all of it in one order. Many ask for the same, as
    /// for what waits for a partner to be delivered, and over PostgreSQL whoever asked earlier would keep the others waiting
    /// until it ends, and they each other.
    pub(super) async fn write_asked(&mut self) -> Result<(), Failure> {
        self.write_asked_but(&[]).await
    }

    /// The same without the deliveries to these partners, which the transaction is about to do: nobody is to wait for their
    /// counters while it waits for rows of work. What it asks for after that nobody else can ask for.
    pub async fn write_asked_but(&mut self, delivered: &[i64]) -> Result<(), Failure> {
        let is_done_here =
            |(step, subject): &(Step, i64)| *step == Step::Deliver && delivered.contains(subject);
        let kept = self.kept()?;
        let (later, asked): (Asked, Asked) = std::mem::take(&mut kept.asked)
            .into_iter()
            .partition(|(what, _)| is_done_here(what));
        let rows: Vec<Vec<Bind>> = asked
            .into_iter()
            .map(|((step, subject), (lane, due))| binds![lane, step.word(), subject, due, 0])
            .collect();
        if !rows.is_empty() {
            self.insert_many(
                "INSERT INTO work (lane, step, subject, due_at, attempts)",
                rows,
                "ON CONFLICT (step, subject) DO UPDATE SET attempts = 0, problem = NULL,
                 due_at = CASE WHEN excluded.due_at < work.due_at THEN excluded.due_at ELSE work.due_at END",
            )
            .await?;
        }
        self.kept()?.asked = later;
        Ok(())
    }

    /// Takes from what this transaction has asked for the next step behind `step` on the path, with those of its subjects
    /// that are due and that it has made itself: nobody else knows of them yet, in whatever lane they are. At most as many
    /// as `most` says of that step.
    pub fn take_asked(
        &mut self,
        step: Step,
        now: Instant,
        most: impl Fn(Step) -> usize,
    ) -> Option<(Step, Vec<i64>)> {
        let Kept {
            orders,
            shipments,
            asked,
            ..
        } = self.kept.as_deref_mut()?;
        let is_made_here = |(step, subject): &(Step, i64)| match step {
            Step::Verify | Step::Allocate => {
                orders.get(&OrderId(*subject)).is_some_and(Changed::is_new)
            }
            Step::Fulfil | Step::Invoice => shipments
                .get(&ShipmentId(*subject))
                .is_some_and(Changed::is_new),
            Step::Read | Step::Deliver | Step::Translate | Step::Push => false,
        };
        let ready = |what: &(Step, i64), due: Instant| due <= now && is_made_here(what);
        let next = asked
            .iter()
            .find(|(what, (_, due))| what.0 > step && ready(what, *due))
            .map(|(what, _)| what.0)?;
        let taken: Vec<(Step, i64)> = asked
            .iter()
            .filter(|(what, (_, due))| what.0 == next && ready(what, *due))
            .map(|(what, _)| *what)
            .take(most(next))
            .collect();
        for what in &taken {
            asked.remove(what);
        }
        Some((
            next,
            taken.into_iter().map(|(_, subject)| subject).collect(),
        ))
    }

    /// Claims up to `lanes_max` free lanes that have work of a duty due.
    pub async fn claim_lanes(
        &mut self,
        duty: Duty,
        now: Instant,
        until: Instant,
        lanes_max: i64,
    ) -> Result<Vec<Lease>, Failure> {
        let lock = if self.is_sqlite() {
            ""
        } else {
            "FOR UPDATE SKIP LOCKED"
        };
        let sql = format!(
            "UPDATE lane SET leased_until = $2, fence = fence + 1 WHERE id IN (
                 SELECT lane.id FROM lane WHERE lane.leased_until < $1 AND lane.id BETWEEN $4 AND $5
                 AND EXISTS (SELECT 1 FROM work WHERE work.lane = lane.id AND work.due_at <= $1)
                 ORDER BY lane.leased_until LIMIT $3 {lock})
             RETURNING id, fence"
        );
        let (first, last) = duty.lanes();
        self.rows(&sql, binds![now, until, lanes_max, first, last])
            .await
    }

    /// How many lanes are free and have work of a duty due at `now`.
    pub async fn free_lanes_due(&mut self, duty: Duty, now: Instant) -> Result<i64, Failure> {
        let (first, last) = duty.lanes();
        self.number(
            "SELECT COUNT(*) FROM lane WHERE lane.leased_until < $1 AND lane.id BETWEEN $2 AND $3
             AND EXISTS (SELECT 1 FROM work WHERE work.lane = lane.id AND work.due_at <= $1)",
            binds![now, first, last],
        )
        .await
    }

    /// Keeps lanes until a later time.
    pub async fn prolong_lanes(&mut self, leases: &[Lease], until: Instant) -> Result<(), Failure> {
        let sql = format!(
            "UPDATE lane SET leased_until = $1 WHERE id IN {}",
            list(leases.len(), 1)
        );
        let mut values = binds![until];
        values.extend(leases.iter().map(|lease| lease.id.into()));
        self.execute(&sql, values).await?;
        Ok(())
    }

    /// Gives lanes back.
    pub async fn release_lanes(&mut self, leases: &[Lease]) -> Result<(), Failure> {
        if leases.is_empty() {
            return Ok(());
        }
        let rows = leases.iter().map(|lease| binds![lease.id, lease.fence]);
        const RELEASE: &str = "UPDATE lane SET leased_until = 0 FROM {rows}
             WHERE lane.id = v.column1 AND lane.fence = v.column2";
        self.execute_of(RELEASE, vec![], rows.collect()).await?;
        Ok(())
    }

    /// Gives back every lane, whoever holds it: for the only gateway of a database, when it starts.
    pub async fn free_lanes(&mut self) -> Result<(), Failure> {
        self.execute(
            "UPDATE lane SET leased_until = 0 WHERE leased_until > 0",
            vec![],
        )
        .await?;
        Ok(())
    }

    /// The steps of which something is due in these lanes.
    pub async fn steps_due(&mut self, lanes: &[Lease], now: Instant) -> Result<Vec<Step>, Failure> {
        let ours = list(lanes.len(), 1);
        let asked: Vec<String> = Step::ALL
            .iter()
            .map(|step| {
                let word = step.word();
                format!(
                    "SELECT '{word}' AS step WHERE EXISTS (SELECT 1 FROM work
                     WHERE step = '{word}' AND due_at <= $1 AND lane IN {ours})"
                )
            })
            .collect();
        let mut values = binds![now];
        values.extend(lanes.iter().map(|lease| lease.id.into()));
        let rows: Vec<(String,)> = self.rows(&asked.join(" UNION ALL "), values).await?;
        Ok(rows.iter().filter_map(|row| Step::of(&row.0)).collect())
    }

    /// What is due in these lanes of one step, oldest first.
    pub async fn due_work(
        &mut self,
        lanes: &[Lease],
        step: Step,
        now: Instant,
        most: i64,
    ) -> Result<Vec<Work>, Failure> {
        let sql = format!(
            "SELECT id, lane, step, subject, attempts FROM work
             WHERE step = $1 AND due_at <= $2 AND lane IN {} ORDER BY due_at, id LIMIT $3",
            list(lanes.len(), 3)
        );
        let mut values = binds![step.word(), now, most];
        values.extend(lanes.iter().map(|lease| lease.id.into()));
        self.rows(&sql, values).await
    }

    /// Checks that these lanes are still ours, and holds them until the transaction ends.
    pub async fn check_fences(&mut self, leases: &[Lease]) -> Result<(), Failure> {
        let lock = if self.is_sqlite() { "" } else { "FOR SHARE" };
        let sql = format!(
            "SELECT id, fence FROM lane WHERE id IN {} {lock}",
            list(leases.len(), 0)
        );
        let held: Vec<Lease> = self
            .rows(&sql, leases.iter().map(|lease| lease.id.into()).collect())
            .await?;
        if leases.iter().all(|lease| held.contains(lease)) {
            Ok(())
        } else {
            Err(Failure::LeaseLost)
        }
    }

    /// Takes done work off the list.
    pub async fn finish_work(&mut self, ids: &[i64]) -> Result<(), Failure> {
        if ids.is_empty() {
            return Ok(());
        }
        let sql = format!("DELETE FROM work WHERE id IN {}", list(ids.len(), 0));
        self.execute(&sql, ids.iter().map(|id| (*id).into()).collect())
            .await?;
        Ok(())
    }

    /// Puts work off, with the reason a person will read.
    pub async fn put_off(
        &mut self,
        id: i64,
        due: Instant,
        failed: bool,
        problem: Option<&str>,
    ) -> Result<(), Failure> {
        self.execute(
            "UPDATE work SET due_at = $2, attempts = attempts + $3, problem = $4 WHERE id = $1",
            binds![id, due, i64::from(failed), problem.map(str::to_owned)],
        )
        .await?;
        Ok(())
    }

    /// The latest time at which anything was received, made or done; none in an empty house.
    pub async fn latest_written(&mut self) -> Result<Option<Instant>, Failure> {
        let mut latest: Option<i64> = None;
        for sql in [
            "SELECT received_at FROM file ORDER BY id DESC LIMIT 1",
            "SELECT created_at FROM document ORDER BY id DESC LIMIT 1",
            "SELECT at FROM audit ORDER BY id DESC LIMIT 1",
        ] {
            let row: Option<(i64,)> = self.row(sql, vec![]).await?;
            latest = latest.max(row.map(|row| row.0));
        }
        Ok(latest.and_then(Instant::from_timestamp_micros))
    }

    /// Makes due at `now` what was due by `then`, and gives back lanes that are claimed beyond `leases`, for longer than
    /// anyone claims them: for a clock that went back from `then` to `now`. Whoever still works in such a lane is stopped
    /// by its fence.
    pub async fn bring_forward(
        &mut self,
        now: Instant,
        then: Instant,
        leases: Instant,
    ) -> Result<(), Failure> {
        self.execute(
            "UPDATE lane SET leased_until = 0 WHERE leased_until > $1",
            binds![leases],
        )
        .await?;
        self.execute(
            "UPDATE work SET due_at = $1 WHERE due_at > $1 AND due_at <= $2",
            binds![now, then],
        )
        .await?;
        self.execute(
            "UPDATE mail SET next_at = $1 WHERE sent_at IS NULL AND next_at > $1 AND next_at <= $2",
            binds![now, then],
        )
        .await?;
        Ok(())
    }

    /// How many pieces of work are due at `now`.
    pub async fn count_due(&mut self, now: Instant) -> Result<i64, Failure> {
        self.number("SELECT COUNT(*) FROM work WHERE due_at <= $1", binds![now])
            .await
    }
}
