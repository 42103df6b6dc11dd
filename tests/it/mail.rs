//! Mail through a real SMTP server.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use supercargo::config::settings::{Mail, MailTls};
use supercargo::domain::backoff::Backoff;
use supercargo::notify::mail::{MailError, Mailer, OutgoingMail};
use supercargo::notify::outbox::{
    NO_SERVER, OutboxFuture, OutboxPort, OutboxUnavailable, Outcome, Patience, QueuedMail, Round,
    work_off,
};
use tempfile::TempDir;

use crate::contract::Program;
use crate::objects::{Partner, serve};
use crate::peers::pass_on;
use crate::peers::postgres::fresh_database;
use crate::peers::smtp::{Asks, PASSWORD, SmtpServer, USER};
use crate::roles::until;

struct Post {
    folder: TempDir,
    server: SmtpServer,
}

impl Post {
    fn open(asks: Asks) -> Option<Post> {
        let folder = tempfile::tempdir().expect("a folder");
        let server = SmtpServer::start(folder.path(), asks)?;
        Some(Post { folder, server })
    }

    fn settings(&self, tls: MailTls) -> Mail {
        let authority = if tls == MailTls::None {
            String::new()
        } else {
            self.server.authority.display().to_string()
        };
        Mail {
            host: "localhost".to_owned(),
            port: self.server.port,
            tls,
            ca_file: authority,
            from: "edi@supplier.example".to_owned(),
            ..Mail::default()
        }
    }

    fn mailer(&self, settings: &Mail) -> Mailer {
        Mailer::from_settings(settings, self.folder.path())
            .expect("sets up")
            .expect("names a server")
    }
}

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("a time")
}

fn mail(recipients: &str) -> OutgoingMail {
    OutgoingMail {
        key: "document-17-held".to_owned(),
        recipients: recipients.to_owned(),
        subject: "850 of H\u{fc}tte & S\u{f6}hne held".to_owned(),
        body: "What: an 850 is held.\nWhere: line 12, PO107.\n.\nWhat to do: import the item \u{201c}4711\u{201d}.".to_owned(),
        written_at: noon(),
    }
}

#[tokio::test]
async fn mail_arrives_in_each_way_of_encryption() {
    for (asks, tls) in [
        (Asks::Nothing, MailTls::None),
        (Asks::StartTls, MailTls::StartTls),
        (Asks::Tls, MailTls::Tls),
    ] {
        let Some(post) = Post::open(asks) else { return };
        let mailer = post.mailer(&post.settings(tls));
        let sent = mailer
            .send(&mail("ops@supplier.example, ar@supplier.example"))
            .await
            .expect("sends");
        assert!(sent.refused.is_empty());
        let taken = post.server.taken();
        assert_eq!((taken.len(), taken[0].tls), (1, tls != MailTls::None));
        assert_eq!(taken[0].from, "edi@supplier.example");
        assert_eq!(taken[0].to, ["ops@supplier.example", "ar@supplier.example"]);
        assert!(taken[0].text.contains("Message-ID: <"), "{}", taken[0].text);
        assert!(taken[0].text.contains("\r\n\r\n"), "{}", taken[0].text);
    }
}

#[tokio::test]
async fn the_login_is_used_and_its_refusal_named() {
    let Some(post) = Post::open(Asks::StartTlsAndLogin) else {
        return;
    };
    std::fs::write(post.folder.path().join("right"), format!("{PASSWORD}\n")).expect("writes");
    std::fs::write(post.folder.path().join("wrong"), "cow").expect("writes");
    let settings = |file: &str| Mail {
        user: USER.to_owned(),
        password_file: file.to_owned(),
        ..post.settings(MailTls::StartTls)
    };
    post.mailer(&settings("right"))
        .send(&mail("ops@supplier.example"))
        .await
        .expect("sends");
    assert!(post.server.taken()[0].login && post.server.taken()[0].tls);
    let error = post
        .mailer(&settings("wrong"))
        .send(&mail("ops@supplier.example"))
        .await
        .expect_err("is refused");
    assert!(matches!(error, MailError::Login { .. }), "{error:?}");
    let nobody = Mail {
        user: String::new(),
        ..settings("")
    };
    let error = post
        .mailer(&nobody)
        .send(&mail("ops@supplier.example"))
        .await
        .expect_err("is refused");
    assert!(matches!(error, MailError::Login { .. }), "{error:?}");
    assert_eq!(post.server.taken().len(), 1);
}

#[tokio::test]
async fn encryption_is_required_and_checked() {
    let Some(post) = Post::open(Asks::StartTls) else {
        return;
    };
    // an authority that nobody told us of
    let unknown = Mail {
        ca_file: String::new(),
        ..post.settings(MailTls::StartTls)
    };
    let error = post
        .mailer(&unknown)
        .send(&mail("ops@supplier.example"))
        .await
        .expect_err("is not trusted");
    assert!(matches!(error, MailError::Encryption { .. }), "{error:?}");
    assert!(
        error.to_string().to_lowercase().contains("certificate"),
        "{error}"
    );
    // another name than the certificate's
    let named = Mail {
        host: "127.0.0.1".to_owned(),
        ..post.settings(MailTls::StartTls)
    };
    let error = post
        .mailer(&named)
        .send(&mail("ops@supplier.example"))
        .await
        .expect_err("is not trusted");
    assert!(matches!(error, MailError::Encryption { .. }), "{error:?}");
    assert!(post.server.taken().is_empty());
    // a server that offers none: the mail does not go in the clear
    let Some(plain) = Post::open(Asks::Nothing) else {
        return;
    };
    let error = plain
        .mailer(&plain.settings(MailTls::StartTls))
        .send(&mail("ops@supplier.example"))
        .await;
    let error = error.expect_err("is not encrypted");
    assert!(matches!(error, MailError::Encryption { .. }), "{error:?}");
    assert!(plain.server.taken().is_empty());
}

#[tokio::test]
async fn refusals_say_who_and_why() {
    let Some(post) = Post::open(Asks::Nothing) else {
        return;
    };
    let mailer = post.mailer(&post.settings(MailTls::None));
    let error = mailer
        .send(&mail("unknown@supplier.example"))
        .await
        .expect_err("is refused");
    let MailError::Refused { reason, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(reason.contains("no such user here"), "{reason}");
    let error = mailer
        .send(&mail("later@supplier.example"))
        .await
        .expect_err("is put off");
    assert!(
        matches!(&error, MailError::Later { reason, .. } if reason.contains("greylisted")),
        "{error:?}"
    );
    let refused = OutgoingMail {
        subject: "refuse me".to_owned(),
        ..mail("ops@supplier.example")
    };
    let error = mailer.send(&refused).await.expect_err("is refused");
    assert!(matches!(error, MailError::Refused { .. }), "{error:?}");
    // one bad address does not keep the mail from the others
    let sent = mailer
        .send(&mail("unknown@supplier.example, ops@supplier.example"))
        .await
        .expect("sends");
    assert_eq!(sent.refused.len(), 1);
    assert!(
        sent.refused[0].starts_with("unknown@supplier.example: "),
        "{:?}",
        sent.refused
    );
    assert_eq!(post.server.taken().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_gone_or_silent_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = |port| Mail {
        host: "127.0.0.1".to_owned(),
        port,
        tls: MailTls::None,
        ..Mail::default()
    };
    let gone = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port();
    let mailer = Mailer::from_settings(&settings(gone), folder.path())
        .expect("sets up")
        .expect("a server");
    let error = mailer
        .send(&mail("ops@supplier.example"))
        .await
        .expect_err("is gone");
    assert!(
        matches!(&error, MailError::Unreachable { server, .. } if *server == format!("127.0.0.1:{gone}")),
        "{error:?}"
    );
    // one that hangs up at once
    let rude = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = rude.local_addr().expect("an address").port();
    let hanging_up = std::thread::spawn(move || drop(rude.accept()));
    let mailer = Mailer::from_settings(&settings(port), folder.path())
        .expect("sets up")
        .expect("a server");
    let error = mailer
        .send(&mail("ops@supplier.example"))
        .await
        .expect_err("hangs up");
    assert!(matches!(error, MailError::Unreachable { .. }), "{error:?}");
    hanging_up.join().expect("hangs up");
}

// ---- the outbox --------------------------------------------------------------------------------------------------

/// An outbox in memory.
#[derive(Default)]
struct Outbox(Mutex<Vec<Row>>);

struct Row {
    queued: QueuedMail,
    next_at: Option<DateTime<Utc>>,
    sent_at: Option<DateTime<Utc>>,
    problem: Option<String>,
}

impl Outbox {
    fn put(&self, id: i64, recipients: &str) {
        let queued = QueuedMail {
            id,
            attempts: 0,
            mail: OutgoingMail {
                key: format!("mail-{id}"),
                ..mail(recipients)
            },
        };
        self.0.lock().expect("sound").push(Row {
            queued,
            next_at: Some(noon()),
            sent_at: None,
            problem: None,
        });
    }

    /// For each row: sent, attempts, minutes from noon to the next attempt.
    fn state(&self) -> Vec<(bool, u32, Option<i64>)> {
        let rows = self.0.lock().expect("sound");
        let minutes = |row: &Row| row.next_at.map(|at| (at - noon()).num_minutes());
        rows.iter()
            .map(|row| (row.sent_at.is_some(), row.queued.attempts, minutes(row)))
            .collect()
    }

    fn problem(&self, place: usize) -> String {
        self.0.lock().expect("sound")[place]
            .problem
            .clone()
            .unwrap_or_default()
    }
}

impl OutboxPort for Outbox {
    fn due<'a>(
        &'a self,
        now: DateTime<Utc>,
        limit: usize,
    ) -> OutboxFuture<'a, Result<Vec<QueuedMail>, OutboxUnavailable>> {
        let rows = self.0.lock().expect("sound");
        let due = rows
            .iter()
            .filter(|row| row.sent_at.is_none() && row.next_at.is_some_and(|at| at <= now));
        let due = due.take(limit).map(|row| row.queued.clone()).collect();
        Box::pin(async { Ok(due) })
    }

    fn note<'a>(
        &'a self,
        id: i64,
        outcome: Outcome,
    ) -> OutboxFuture<'a, Result<(), OutboxUnavailable>> {
        let mut rows = self.0.lock().expect("sound");
        let row = rows
            .iter_mut()
            .find(|row| row.queued.id == id)
            .expect("a row");
        match outcome {
            Outcome::Sent { at, problem } => {
                (row.sent_at, row.next_at, row.problem) = (Some(at), None, problem);
            }
            Outcome::Failed {
                attempts,
                problem,
                next_at,
            } => {
                (row.queued.attempts, row.next_at, row.problem) =
                    (attempts, next_at, Some(problem));
            }
        }
        Box::pin(async { Ok(()) })
    }
}

fn patience() -> Patience {
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    Patience {
        backoff: Backoff {
            first: minutes(1),
            longest: minutes(10),
        },
        attempts: 3,
    }
}

fn at(minutes: i64) -> DateTime<Utc> {
    noon() + TimeDelta::minutes(minutes)
}

#[tokio::test]
async fn what_fails_is_tried_again_later_and_at_last_left_to_a_person() {
    let Some(post) = Post::open(Asks::Nothing) else {
        return;
    };
    let (outbox, mailer) = (
        Outbox::default(),
        post.mailer(&post.settings(MailTls::None)),
    );
    for (id, recipients) in [
        (1, "later@supplier.example"),
        (2, "nobody"),
        (3, "ops@supplier.example"),
    ] {
        outbox.put(id, recipients);
    }
    let round = |minutes| work_off(&outbox, Some(&mailer), patience(), at(minutes), 10);
    assert_eq!(round(0).await, Ok(Round { sent: 1, failed: 2 }));
    assert_eq!(
        outbox.state(),
        [(false, 1, Some(1)), (false, 1, None), (true, 0, None)]
    );
    assert!(outbox.problem(0).contains("greylisted") && outbox.problem(1).contains("\"nobody\""));
    assert_eq!(
        round(0).await,
        Ok(Round::default()),
        "nothing is due before its time"
    );
    assert_eq!(round(1).await, Ok(Round { sent: 0, failed: 1 }));
    assert_eq!(outbox.state()[0], (false, 2, Some(3)));
    assert_eq!(round(3).await, Ok(Round { sent: 0, failed: 1 }));
    assert_eq!(
        outbox.state()[0],
        (false, 3, None),
        "three attempts are all"
    );
    assert_eq!(post.server.taken().len(), 1);
}

#[tokio::test]
async fn without_a_server_mails_stay_and_say_so_until_there_is_one() {
    let Some(post) = Post::open(Asks::Nothing) else {
        return;
    };
    let outbox = Outbox::default();
    outbox.put(1, "ops@supplier.example");
    let round = work_off(&outbox, None, patience(), at(0), 10).await;
    assert_eq!(round, Ok(Round { sent: 0, failed: 1 }));
    assert_eq!(
        outbox.state(),
        [(false, 0, Some(10))],
        "no attempt was made"
    );
    assert_eq!(outbox.problem(0), NO_SERVER);
    let mailer = post.mailer(&post.settings(MailTls::None));
    assert_eq!(
        work_off(&outbox, Some(&mailer), patience(), at(10), 10).await,
        Ok(Round { sent: 1, failed: 0 })
    );
    assert_eq!(outbox.problem(0), "");
}

#[tokio::test]
async fn a_server_that_is_gone_is_asked_once_a_round() {
    let Some(post) = Post::open(Asks::Nothing) else {
        return;
    };
    let (outbox, settings) = (Outbox::default(), post.settings(MailTls::None));
    let gone = Mail {
        port: 1,
        ..settings.clone()
    };
    for id in 1..=5 {
        outbox.put(id, "ops@supplier.example");
    }
    let round = work_off(&outbox, Some(&post.mailer(&gone)), patience(), at(0), 10).await;
    assert_eq!(round, Ok(Round { sent: 0, failed: 1 }));
    let mailer = post.mailer(&settings);
    let round = work_off(&outbox, Some(&mailer), patience(), at(1), 10).await;
    assert_eq!(round, Ok(Round { sent: 5, failed: 0 }));
    let taken = post.server.taken();
    let ids: std::collections::BTreeSet<_> = taken
        .iter()
        .filter_map(|mail| {
            mail.text
                .lines()
                .find(|line| line.starts_with("Message-ID"))
        })
        .collect();
    assert_eq!(ids.len(), 5, "each mail has its own Message-ID");
}

/// Stands in front of a server and, while it refuses, turns every client away with the first word of the protocol.
fn gate(server: u16) -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let refuses = Arc::new(AtomicBool::new(true));
    let told = refuses.clone();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            if told.load(Ordering::SeqCst) {
                // The client may have gone away.
                let _ = client.write_all(b"554 5.3.2 no mail is taken here today\r\n");
                continue;
            }
            let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
                continue;
            };
            pass_on(&server, &client);
            pass_on(&client, &server);
        }
    });
    (port, refuses)
}

/// The whole program over a mail server that refuses: partners are answered as ever, what ops were to hear waits with the
/// server's own words, and arrives once when it takes mail again, without those whom it does not know.
fn a_mail_server_refuses(program: &Program) {
    let Some(post) = Post::open(Asks::Nothing) else {
        return;
    };
    let (port, refuses) = gate(post.server.port);
    let settings = program.data().join("supercargo.toml");
    let before = std::fs::read_to_string(&settings).expect("there");
    let mail = format!(
        "\n[mail]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"edi@supplier.example\"\n\
         ops = [\"ops@supplier.example\", \"unknown@supplier.example\"]\n"
    );
    std::fs::write(&settings, before + &mail).expect("written");
    program.furnish();
    let serving = serve(program);
    let client = post.folder.path().join("client");
    let partner = Partner::of(&serving, &client);

    // Held, for the price is another one than ours: ops are to hear of it.
    let dear = crate::roles::order(1, "PO-DEAR").replace("*100**VN*", "*90**VN*");
    partner.sends("dear.edi", &dear).expect("taken");
    let mails = || program.list(&["mail", "list"]);
    until("the refusal is noted", || {
        let mails = mails();
        let waits = mails.iter().all(|mail| mail["status"] == "failing");
        (!mails.is_empty() && waits).then_some(())
    });
    let refused = mails();
    assert!(
        refused.iter().all(|mail| mail["problem"]
            .as_str()
            .is_some_and(|problem| problem.contains("no mail is taken here today"))),
        "{refused:#?}"
    );
    partner
        .sends("two.edi", &crate::roles::order(2, "PO-TWO"))
        .expect("taken");
    until("partners are answered", || {
        (partner.finds("997") == 2 && partner.finds("855") == 1).then_some(())
    });
    assert!(post.server.taken().is_empty());

    refuses.store(false, Ordering::SeqCst);
    until("what waited has gone out", || {
        mails()
            .iter()
            .all(|mail| mail["status"] == "sent")
            .then_some(())
    });
    let taken = post.server.taken();
    assert_eq!(taken.len(), refused.len(), "{taken:#?}");
    assert!(taken.iter().any(|mail| mail.text.contains("PO-DEAR")));
    for mail in &taken {
        assert_eq!(mail.to, ["ops@supplier.example"]);
    }
    assert!(
        mails().iter().all(|mail| mail["problem"]
            .as_str()
            .is_some_and(|problem| problem.contains("unknown@supplier.example"))),
        "who was refused is named: {:#?}",
        mails()
    );
    program.ends(0, &["prove"]);
}

#[test]
fn a_mail_server_that_refuses_keeps_nothing_from_going_on_sqlite() {
    a_mail_server_refuses(&Program::over(None, "SQLite".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_refuses_keeps_nothing_from_going_on_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    a_mail_server_refuses(&Program::over(Some(database), "PostgreSQL".to_owned()));
}
