//! The console over real HTTP, signed in, and every page of it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use supercargo::domain::shipment::{Carton, Shipment};
use supercargo::storage::users::{Role, hash_password};
use supercargo::storage::{Class, Connection, Failure};
use supercargo::workflow::Gateway;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Broken, Outcome};

const USER: &str = "measure";
const PASSWORD: &str = "correct-horse-battery-staple";

/// A console that serves, and who is signed in.
pub struct Console {
    host: String,
    session: String,
}

impl Console {
    /// Serves on a port of its own and signs in.
    pub async fn open(gateway: &Gateway) -> Outcome<Self> {
        let hash = hash_password(PASSWORD)?;
        let now = gateway.now();
        gateway
            .store
            .write(Class::Ordinary, move |connection| {
                let hash = hash.clone();
                Box::pin(async move {
                    let roles = BTreeSet::from([Role::Admin]);
                    connection.save_user(USER, &hash, &roles, now).await
                })
            })
            .await?;
        let router = supercargo::web::router(gateway.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let mut console = Self {
            host: listener.local_addr()?.to_string(),
            session: String::new(),
        };
        tokio::spawn(async move { axum::serve(listener, router).await });
        console.sign_in().await?;
        Ok(console)
    }

    async fn sign_in(&mut self) -> Outcome<()> {
        let (_, form) = self.ask("GET /login HTTP/1.1", "").await?;
        let gate = cookie(&form, "supercargo_gate");
        let body = format!("gate={gate}&name={USER}&password={PASSWORD}");
        let head = format!(
            "POST /login HTTP/1.1\r\ncookie: supercargo_gate={gate}\r\ncontent-type: application/x-www-form-urlencoded"
        );
        let (status, answer) = self.ask(&head, &body).await?;
        self.session = cookie(&answer, "supercargo_session");
        if self.session.is_empty() {
            return Err(Broken(format!("signing in was answered with {status}")).into());
        }
        Ok(())
    }

    /// One request as bytes over a connection of its own: the status and the whole answer.
    async fn ask(&self, head: &str, body: &str) -> Outcome<(u16, String)> {
        let mut stream = tokio::net::TcpStream::connect(&self.host).await?;
        let request = format!(
            "{head}\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok())
            .unwrap_or(0);
        Ok((status, answer))
    }

    /// How long a page takes. One that is not there is told.
    pub async fn page(&self, path: &str) -> Outcome<Duration> {
        let head = format!(
            "GET {path} HTTP/1.1\r\ncookie: supercargo_session={}",
            self.session
        );
        let began = Instant::now();
        let (status, _) = self.ask(&head, "").await?;
        let took = began.elapsed();
        match status {
            200 | 303 => Ok(took),
            other => Err(Broken(format!("{path} was answered with {other}")).into()),
        }
    }
}

fn cookie(answer: &str, name: &str) -> String {
    let from = answer.split(&format!("{name}=")).nth(1).unwrap_or_default();
    from.split(';').next().unwrap_or_default().to_owned()
}

/// Lists with the filters that each is asked with, one after the other; `before` and `last` are added to each.
const LISTS: [(&str, &str, &[&str]); 10] = [
    (
        "/orders",
        "purchase_order",
        &[
            "status=held",
            "status=received",
            "status=backordered",
            "status=invoiced",
            "status=rejected",
            "partner=1",
            "partner=1&status=held",
            "partner=1&status=invoiced",
            "partner=6",
            "partner=6&status=invoiced",
            "mode=production",
            "mode=test",
            "mode=test&status=held",
        ],
    ),
    (
        "/documents",
        "document",
        &[
            "way=in",
            "way=out",
            "set=850",
            "set=856",
            "set=820",
            "set=999",
            "fate=held",
            "fate=rejected",
            "fate=duplicate",
            "fate=processed",
            "fate=queued",
            "fate=accepted",
            "fate=pending",
            "fate=overdue",
            "fate=refused",
            "mode=test",
            "partner=1",
            "partner=1&set=850",
            "partner=1&fate=held",
            "partner=1&fate=refused",
            "partner=1&set=810&fate=pending",
            "partner=6",
            "partner=6&set=850",
            "partner=6&fate=accepted",
        ],
    ),
    (
        "/files",
        "file",
        &[
            "status=held",
            "status=rejected",
            "status=duplicate",
            "status=received",
            "status=processed",
            "partner=1",
            "partner=1&status=rejected",
            "partner=6",
            "partner=6&status=processed",
        ],
    ),
    (
        "/shipments",
        "shipment",
        &[
            "status=planned",
            "status=shipped",
            "status=cancelled",
            "partner=1",
            "partner=1&status=planned",
            "partner=6",
            "partner=6&status=shipped",
        ],
    ),
    (
        "/invoices",
        "invoice",
        &[
            "status=open",
            "status=partially_paid",
            "status=paid",
            "status=written_off",
            "age=open",
            "age=overdue",
            "age=current",
            "age=1-30",
            "age=31-60",
            "age=61-90",
            "age=over-90",
            "partner=1",
            "partner=1&age=overdue",
            "partner=1&status=paid",
            "partner=6",
            "partner=6&status=paid",
            "mode=test",
        ],
    ),
    (
        "/payments",
        "payment",
        &[
            "status=unapplied",
            "status=held",
            "status=applied",
            "partner=1",
            "partner=6",
        ],
    ),
    (
        "/deductions",
        "deduction",
        &[
            "status=open",
            "status=disputed",
            "status=written_off",
            "partner=1",
            "partner=6",
        ],
    ),
    ("/alerts", "alert", &["show=all"]),
    ("/mail", "mail", &["show=waiting"]),
    (
        "/audit",
        "audit",
        &[
            "actor=measure",
            "actor=seed",
            "actor=allocation",
            "about=order",
            "about=user",
        ],
    ),
];

/// Pages that are no lists of rows that orders make.
const SINGLE: [&str; 14] = [
    "/",
    "/queue",
    "/queue?show=rejected",
    "/stock",
    "/stock?short=1",
    "/stock?item=HW",
    "/receivables",
    "/receivables.csv",
    "/partners",
    "/partners/1",
    "/partners/1/profile",
    "/payments/new",
    "/payments/new?partner=1",
    "/metrics",
];

async fn word(connection: &mut Connection, sql: &str) -> Result<String, Failure> {
    Ok(connection
        .row::<(String,)>(sql, vec![])
        .await?
        .map(|row| row.0)
        .unwrap_or_default())
}

/// The path of every page that is asked for.
pub async fn paths(connection: &mut Connection) -> Outcome<Vec<String>> {
    let mut paths: Vec<String> = SINGLE.map(str::to_owned).into();
    for (path, table, filters) in LISTS {
        let newest = connection
            .number(&format!("SELECT MAX(id) FROM {table}"), vec![])
            .await?;
        paths.push(path.to_owned());
        paths.push(format!("{path}?before={}", newest / 2));
        paths.push(format!("{path}?before=52"));
        for filter in filters {
            paths.push(format!("{path}?{filter}"));
            paths.push(format!("{path}?{filter}&before={}", newest / 2));
            paths.push(format!("{path}?{filter}&before=52"));
        }
    }
    details(connection, &mut paths).await?;
    searches(connection, &mut paths).await?;
    Ok(paths)
}

/// Of each kind of thing the newest, one in the middle, and one of each state.
async fn details(connection: &mut Connection, paths: &mut Vec<String>) -> Outcome<()> {
    for (path, table, state) in [
        ("/orders", "purchase_order", "status"),
        ("/documents", "document", "set_code"),
        ("/files", "file", "disposition"),
        ("/shipments", "shipment", "status"),
        ("/invoices", "invoice", "status"),
        ("/payments", "payment", "status"),
        ("/deductions", "deduction", "status"),
        ("/mail", "mail", "recipients"),
    ] {
        let ids: Vec<(i64,)> = connection
            .rows(
                &format!(
                    "SELECT MAX(id) FROM {table} WHERE id <= 4000 GROUP BY {state} UNION SELECT MAX(id) FROM {table} WHERE id > 4000"
                ),
                vec![],
            )
            .await
            .unwrap_or_default();
        paths.extend(
            ids.into_iter()
                .filter(|(id,)| *id > 0)
                .map(|(id,)| format!("{path}/{id}")),
        );
    }
    let id = connection
        .number(
            "SELECT MAX(id) FROM document WHERE direction = 'in'",
            vec![],
        )
        .await?;
    paths.push(format!("/documents/{id}/raw"));
    let id = connection
        .number(
            "SELECT MAX(id) FROM document WHERE direction = 'in' AND disposition = 'held'",
            vec![],
        )
        .await?;
    paths.push(format!("/documents/{id}/correct"));
    let id = connection
        .number("SELECT MAX(id) FROM file", vec![])
        .await?;
    paths.push(format!("/files/{id}/raw"));
    Ok(())
}

/// Everything that can be searched for, whole and by its beginning, and what is not there.
async fn searches(connection: &mut Connection, paths: &mut Vec<String>) -> Outcome<()> {
    let po = word(
        connection,
        "SELECT po_number FROM purchase_order WHERE id = (SELECT MAX(id) / 2 FROM purchase_order)
         UNION ALL SELECT po_number FROM purchase_order WHERE id = (SELECT MAX(id) FROM purchase_order)",
    )
    .await?;
    let number = word(
        connection,
        "SELECT number FROM invoice WHERE id = (SELECT MAX(id) FROM invoice)",
    )
    .await?;
    let isa13 = word(
        connection,
        "SELECT isa13 FROM document WHERE id = (SELECT MAX(id) FROM document WHERE direction = 'in')",
    )
    .await?;
    let reference = word(
        connection,
        "SELECT reference FROM payment WHERE id = (SELECT MAX(id) FROM payment)",
    )
    .await?;
    let file = word(
        connection,
        "SELECT name FROM file WHERE id = (SELECT MAX(id) FROM file)",
    )
    .await?;
    let body = word(
        connection,
        "SELECT body FROM shipment WHERE status = 'shipped' ORDER BY id LIMIT 1",
    )
    .await?;
    let shipment: Shipment = serde_json::from_str(&body)?;
    let carton = shipment.cartons.first();
    let of_carton = |text: fn(&Carton) -> &str| carton.map(text).unwrap_or_default().to_owned();
    let sought = [
        po.clone(),
        po.chars().take(7).collect(),
        "QZ".to_owned(),
        "Q".to_owned(),
        "PO-OF-NOBODY".to_owned(),
        number.clone(),
        number.chars().take(4).collect(),
        "1".to_owned(),
        isa13.clone(),
        isa13.trim_start_matches('0').to_owned(),
        "999999999".to_owned(),
        reference,
        file,
        "no-such-file.edi".to_owned(),
        of_carton(|carton| &carton.sscc),
        "006141419999999992".to_owned(),
        shipment.bill_of_lading.clone(),
        of_carton(|carton| &carton.tracking),
        "1Z999AA10123456784".to_owned(),
        "PRO4400001".to_owned(),
        "buyer1".to_owned(),
    ];
    paths.extend(
        sought
            .into_iter()
            .filter(|text| !text.is_empty())
            .map(|text| format!("/search?q={text}")),
    );
    for beginning in [po.as_str(), po.get(..7).unwrap_or("QZ"), "QZ", "X"] {
        for (path, field) in [("/orders", "po"), ("/invoices", "number")] {
            paths.push(format!("{path}?{field}={beginning}"));
        }
        paths.push(format!("/orders?po={beginning}&status=held"));
        paths.push(format!("/orders?po={beginning}&status=invoiced"));
        paths.push(format!("/orders?po={beginning}&partner=1"));
    }
    for beginning in [number.as_str(), number.get(..3).unwrap_or("1")] {
        paths.push(format!("/invoices?number={beginning}"));
        paths.push(format!("/invoices?number={beginning}&status=open"));
        paths.push(format!("/invoices?number={beginning}&age=overdue"));
    }
    Ok(())
}
