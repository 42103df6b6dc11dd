//! Telling people: an alert in the console and mail to ops, in the transaction of what it is about.

use super::{Gateway, Trading};
use crate::domain::finding::Finding;
use crate::storage::journal::{NewAlert, NewMail, Subject};
use crate::storage::{Class, Connection, Failure};

/// Something a person has to know, once.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Makes it one notice however often it is given.
    pub key: String,
    /// Kind of the alert.
    pub kind: &'static str,
    /// What it is about.
    pub subject: Subject,
    /// One line: what.
    pub title: String,
    /// What, where, why, what to do.
    pub text: String,
}

/// Findings as lines for a person.
pub fn lines(findings: &[Finding]) -> String {
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn line(finding: &Finding) -> String {
    let place = &finding.place;
    let mut at = Vec::new();
    if let Some(line) = finding.order_line {
        at.push(format!("line {line}"));
    }
    if let Some(segment) = &place.segment {
        let element = place
            .element
            .map(|element| format!("{element:02}"))
            .unwrap_or_default();
        at.push(format!("{segment}{element}"));
    }
    if let Some(byte) = place.byte {
        at.push(format!("byte {byte}"));
    }
    let at = if at.is_empty() {
        String::new()
    } else {
        format!(" ({})", at.join(", "))
    };
    format!("- {}{at} [{}]", finding.message, finding.code)
}

/// A person has seen to alerts: all of them leave the list, or none where one is not on it.
pub async fn clear(gateway: &Gateway, alerts: &[i64], actor: &str) -> Result<(), Failure> {
    let (now, alerts, actor) = (gateway.now(), alerts.to_vec(), actor.to_owned());
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (alerts, actor) = (alerts.clone(), actor.clone());
            Box::pin(async move {
                for alert in alerts {
                    if !connection.clear_alert(now, alert).await? {
                        return Err(Failure::refuse(format!(
                            "there is no open alert {alert}; `supercargo alert list` shows them"
                        )));
                    }
                    let subject = Subject::new("alert", alert);
                    connection
                        .record(now, &actor, "alert cleared", subject, "")
                        .await?;
                }
                Ok(())
            })
        })
        .await
}

/// Raises the alert and queues the mail, both once.
pub async fn tell(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: Option<&Trading>,
    notice: Notice,
) -> Result<(), Failure> {
    if !raise(gateway, connection, trading, &notice).await? {
        return Ok(());
    }
    write(gateway, connection, trading, notice).await
}

/// Raises an alert for each of several notices about one partner, and queues one mail about all that are new.
pub async fn tell_together(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    title: String,
    notices: Vec<Notice>,
) -> Result<(), Failure> {
    let mut fresh = Vec::with_capacity(notices.len());
    for notice in notices {
        if raise(gateway, connection, Some(trading), &notice).await? {
            fresh.push(notice);
        }
    }
    let text: Vec<String> = fresh
        .iter()
        .map(|notice| format!("- {}: {}", notice.title, notice.text))
        .collect();
    let Some(first) = fresh.first().cloned() else {
        return Ok(());
    };
    let all = match fresh.len() {
        1 => first,
        _ => Notice {
            title,
            text: text.join("\n"),
            ..first
        },
    };
    write(gateway, connection, Some(trading), all).await
}

/// True where the alert is new.
async fn raise(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: Option<&Trading>,
    notice: &Notice,
) -> Result<bool, Failure> {
    let alert = NewAlert {
        key: notice.key.clone(),
        kind: notice.kind,
        partner: trading.map(|trading| trading.partner.0),
        subject: notice.subject,
        message: format!("{}: {}", notice.title, notice.text),
    };
    connection.raise(gateway.now(), alert).await
}

/// Queues the mail.
async fn write(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: Option<&Trading>,
    notice: Notice,
) -> Result<(), Failure> {
    let now = gateway.now();
    let own = trading
        .map(|trading| trading.profile.notify.clone())
        .unwrap_or_default();
    let recipients = if own.is_empty() {
        gateway.settings.mail.ops.clone()
    } else {
        own
    };
    if recipients.is_empty() {
        return Ok(());
    }
    let link = link(gateway, notice.subject);
    let partner = trading
        .map(|trading| trading.profile.name.clone())
        .unwrap_or_default();
    let mail = NewMail {
        key: notice.key,
        recipients: recipients.join(", "),
        subject: if partner.is_empty() {
            notice.title.clone()
        } else {
            format!("{partner}: {}", notice.title)
        },
        body: format!("{}\n\n{}\n{link}", notice.title, notice.text),
    };
    connection.queue_mail(now, mail).await
}

/// Where the console shows a subject, where its public address is known.
fn link(gateway: &Gateway, subject: Subject) -> String {
    let base = gateway.settings.http.public_url.trim_end_matches('/');
    match subject.kind {
        _ if base.is_empty() => String::new(),
        "warehouse" => format!("\n{base}/stock\n"),
        kind => format!("\n{base}/{kind}s/{}\n", subject.id),
    }
}
