//! Documents: the list, and one raw beside its annotated reading; correcting what is held.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use supercargo_x12::{
    Address, Delimiters, Envelope, Event, Group, IsaHeader, NumberedSet, OutboundSet, Reader,
    Release, SchemaRegistry, annotate, read_set, write_interchange,
};

use super::difference;
use super::document_row::{DocumentRow, chips, is_overdue};
use super::orders::{AuditRow, audit_row};
use super::records::path_of;
use crate::domain::finding::{Finding, Origin, Place};
use crate::domain::ids::PartnerId;
use crate::storage::Connection;
use crate::storage::console::documents::{self, DocumentFilter, DocumentItem};
use crate::storage::console::{journal, partners};
use crate::web::Console;
use crate::web::editor;
use crate::web::gate::person::{Person, Role};
use crate::web::page::{Asked, Choice, Frame, Section, partner_choices, shown};
use crate::web::reading::{self, Fault, SegmentView, fault, place_said};
use crate::web::show::{Calendar, Chip, When, size};
use crate::web::states::{set_name, spoken};
use crate::web::trouble::Trouble;

/// The sets that the list can be narrowed to.
const SETS: [&str; 11] = [
    "850", "855", "856", "810", "820", "860", "865", "824", "997", "999", "TA1",
];

#[derive(Template)]
#[template(path = "documents.html")]
struct DocumentsPage {
    frame: Frame,
    thread: Vec<DocumentRow>,
    /// Name, what it is called, what stands for all of it, the choices.
    selects: [(&'static str, &'static str, &'static str, Vec<Choice>); 3],
    partners: Vec<Choice>,
    older: Option<String>,
    newest: Option<String>,
}

/// What a fate is asked for by.
const FATES: [(&str, &str); 9] = [
    ("held", "Held"),
    ("rejected", "Refused by us"),
    ("duplicate", "Duplicate"),
    ("processed", "Processed"),
    ("queued", "Waiting to be sent"),
    ("accepted", "Accepted by the partner"),
    ("pending", "Not acknowledged yet"),
    ("overdue", "Acknowledgment overdue"),
    ("refused", "Rejected by the partner"),
];

fn filter(asked: &Asked, calendar: &Calendar) -> Result<DocumentFilter, Trouble> {
    let mut filter = DocumentFilter {
        direction: asked.one_of("way", "direction", &["in", "out"])?,
        set_code: asked.text("set"),
        partner: asked.number("partner"),
        mode: asked.mode()?,
        before: asked.number("before"),
        ..DocumentFilter::default()
    };
    let fates = FATES.map(|(word, _)| word);
    let word = asked
        .one_of("fate", "fate", &fates)?
        .or(asked.one_of("syntax", "fate", &fates)?)
        .unwrap_or_default();
    match word.as_str() {
        "held" => filter.is_held = true,
        "rejected" | "duplicate" => filter.disposition = Some(word),
        "processed" => {
            filter.disposition = Some(word);
            filter.direction = Some("in".to_owned());
        }
        "queued" => filter.delivery = Some(word),
        "accepted" => {
            filter.syntax = Some(word);
            filter.direction = Some("out".to_owned());
        }
        "pending" => {
            filter.syntax = Some(word);
            filter.direction = Some("out".to_owned());
        }
        "overdue" => filter.overdue_at = Some(calendar.now.timestamp_micros()),
        "refused" => {
            filter.syntax = Some("rejected".to_owned());
            filter.direction = Some("out".to_owned());
        }
        _ => {}
    }
    Ok(filter)
}

/// `GET /documents`
pub(crate) async fn list(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Documents, "Documents", &asked)
        .await?;
    let filter = filter(&asked, &frame.calendar)?;
    let mut connection = console.store().read().await?;
    let mut items = documents::list(&mut connection, &filter).await?;
    let partners = partner_choices(partners::choices(&mut connection).await?, filter.partner);
    drop(connection);
    let older = super::older(&mut items, &asked, |item| item.id);
    let choice = |value: &str, name: String, field: &str| Choice {
        value: value.to_owned(),
        name,
        chosen: asked.text(field).as_deref() == Some(value),
    };
    let fate = asked.text("fate").or_else(|| asked.text("syntax"));
    let sets = SETS
        .iter()
        .map(|set| choice(set, format!("{set} {}", set_name(set)), "set"))
        .collect();
    let ways = [("in", "Received"), ("out", "Sent")]
        .map(|(value, name)| choice(value, name.to_owned(), "way"))
        .into();
    let fates = FATES
        .iter()
        .map(|(value, name)| Choice {
            value: (*value).to_owned(),
            name: (*name).to_owned(),
            chosen: fate.as_deref() == Some(value),
        })
        .collect();
    let page = DocumentsPage {
        thread: items
            .iter()
            .map(|item| DocumentRow::new(item, &frame.calendar))
            .collect(),
        selects: [
            ("set", "Set", "All sets", sets),
            ("way", "Direction", "Received and sent", ways),
            ("fate", "Fate", "Any fate", fates),
        ],
        partners,
        newest: filter.before.map(|_| asked.with("before", "")),
        older,
        frame,
    };
    shown(&page)
}

// ---- one document ----------------------------------------------------------------------------------------------------

/// The bytes of a document, or the part of them that is shown.
struct Source {
    bytes: Vec<u8>,
    delimiters: Delimiters,
    /// Of the first byte, in the file.
    offset: u64,
    /// Where the set begins.
    begins: u64,
    /// Of the whole set.
    size: u64,
    is_whole: bool,
}

/// The findings of a document.
pub(crate) fn findings_of(text: &str) -> Vec<Finding> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Bytes of the original, from `from` where the set is too large to be shown whole.
async fn original(
    connection: &mut Connection,
    item: &DocumentItem,
    from: Option<u64>,
) -> Result<Option<Source>, Trouble> {
    let Some(sha256) = &item.sha256 else {
        return unsent(connection, item).await;
    };
    let Some(offset) = item.byte_offset else {
        return Ok(None);
    };
    let size = item.size.unwrap_or(0);
    let delimiters = delimiters_of(connection, item, sha256).await?;
    let (begins, length) = (
        u64::try_from(offset).unwrap_or(0),
        u64::try_from(size).unwrap_or(0),
    );
    if size <= reading::WHOLE_MAX {
        let bytes = connection.content_range(sha256, begins, length).await?;
        return Ok(Some(Source {
            bytes,
            delimiters,
            offset: begins,
            begins,
            size: length,
            is_whole: true,
        }));
    }
    let start = from.unwrap_or(begins).clamp(begins, begins + length);
    let mut bytes = connection
        .content_range(
            sha256,
            start,
            reading::WINDOW_BYTES.min(begins + length - start),
        )
        .await?;
    let mut at = start;
    if start > begins {
        // a window begins with a segment, wherever it was asked for
        let before = connection.content_range(sha256, start - 1, 1).await?;
        if before.first() != Some(&delimiters.terminator) {
            let cut = bytes
                .iter()
                .position(|byte| *byte == delimiters.terminator)
                .map_or(bytes.len(), |at| at + 1);
            bytes.drain(..cut);
            at += cut as u64;
        }
    }
    let blanks = bytes
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    bytes.drain(..blanks);
    Ok(Some(Source {
        bytes,
        delimiters,
        offset: at + blanks as u64,
        begins,
        size: length,
        is_whole: false,
    }))
}

/// The separators that the file of a document declares.
async fn delimiters_of(
    connection: &mut Connection,
    item: &DocumentItem,
    sha256: &str,
) -> Result<Delimiters, Trouble> {
    if let Some(interchange) = item.interchange_id.filter(|_| item.direction == "in") {
        let header = connection
            .interchange(interchange)
            .await?
            .map(|(header, _, _)| header);
        if let Some(header) =
            header.and_then(|header| serde_json::from_str::<IsaHeader>(&header).ok())
        {
            return Ok(header.delimiters);
        }
    }
    let start = connection.content_range(sha256, 0, 4_096).await?;
    Ok(declared(&start).unwrap_or_default())
}

/// The separators that the first ISA of these bytes declares.
pub(crate) fn declared(bytes: &[u8]) -> Option<Delimiters> {
    let mut reader = Reader::new(bytes);
    while let Ok(Some(event)) = reader.next() {
        if let Event::InterchangeOpened(header, _) = event {
            return Some(header.delimiters);
        }
    }
    None
}

/// A document that was built and has not been put into a file: written as it would be, with numbers of nothing.
async fn unsent(
    connection: &mut Connection,
    item: &DocumentItem,
) -> Result<Option<Source>, Trouble> {
    let body = documents::body(connection, item.id).await?;
    let Some(set) = body.and_then(|body| serde_json::from_str::<OutboundSet>(&body).ok()) else {
        return Ok(None);
    };
    let address = || Address {
        qualifier: "ZZ".to_owned(),
        id: "PREVIEW".to_owned(),
    };
    let date = chrono::NaiveDate::default();
    let envelope = Envelope {
        sender: address(),
        receiver: address(),
        date,
        time: chrono::NaiveTime::MIN,
        version: "00401".to_owned(),
        control_number: 1,
        ack_requested: false,
        usage: 'T',
        delimiters: Delimiters::default(),
        ta1s: Vec::new(),
    };
    let group = Group {
        functional_id: "ZZ".to_owned(),
        sender: "PREVIEW".to_owned(),
        receiver: "PREVIEW".to_owned(),
        date,
        time: chrono::NaiveTime::MIN,
        control_number: 1,
        version: "004010".to_owned(),
        sets: vec![NumberedSet {
            control_number: "0001".to_owned(),
            set,
        }],
    };
    let Ok(written) = write_interchange(&envelope, &[group]) else {
        return Ok(None);
    };
    let Some(place) = written.sets.first() else {
        return Ok(None);
    };
    let from = place.offset;
    let to = from.saturating_add(place.length);
    let bytes = written
        .bytes
        .get(from..to.min(written.bytes.len()))
        .unwrap_or_default()
        .to_vec();
    let size = bytes.len() as u64;
    Ok(Some(Source {
        bytes,
        delimiters: Delimiters::default(),
        offset: 0,
        begins: 0,
        size,
        is_whole: true,
    }))
}

/// The corrected version.
async fn corrected(
    connection: &mut Connection,
    item: &DocumentItem,
) -> Result<Option<Source>, Trouble> {
    let Some(sha256) = &item.corrected_sha256 else {
        return Ok(None);
    };
    let bytes = connection.content(sha256).await?;
    let delimiters = match &item.sha256 {
        Some(original) => delimiters_of(connection, item, original).await?,
        None => Delimiters::default(),
    };
    let begins = u64::try_from(item.byte_offset.unwrap_or(0)).unwrap_or(0);
    let size = bytes.len() as u64;
    Ok(Some(Source {
        bytes,
        delimiters,
        offset: begins,
        begins,
        size,
        is_whole: true,
    }))
}

/// The release to read a document by: what the partner's profile says of the set.
async fn release_of(
    console: &Console,
    connection: &mut Connection,
    item: &DocumentItem,
) -> Release {
    let Some(partner) = item.partner_id else {
        return Release::R004010;
    };
    match console
        .gateway()
        .trading(connection, PartnerId(partner))
        .await
    {
        Ok(trading) => {
            let release = Release::of_version(trading.profile.release_of(&item.set_code));
            release.unwrap_or(Release::R004010)
        }
        Err(_) => Release::R004010,
    }
}

/// A link to another part of a large document.
struct Windows {
    said: String,
    before: Option<String>,
    after: Option<String>,
}

/// A finding in the list above the reading.
struct FindingRow {
    fault: Fault,
    value: String,
    /// Where it is marked on a page; empty where it has no place.
    path: String,
    judge: &'static str,
}

#[derive(Template)]
#[template(path = "document.html")]
struct DocumentPage {
    frame: Frame,
    item: DocumentItem,
    inbound: bool,
    name: String,
    set: String,
    chips: Vec<Chip>,
    created: When,
    sent: Option<When>,
    due: Option<When>,
    overdue: bool,
    answered: Option<When>,
    delivered: Option<When>,
    picked_up: Option<When>,
    subject: Option<(String, String)>,
    file_size: String,
    findings: Vec<FindingRow>,
    segments: Vec<SegmentView>,
    windows: Windows,
    plain: Vec<(String, bool)>,
    versions: Vec<(String, String, bool)>,
    diff: Vec<(&'static str, String)>,
    kin: Vec<DocumentRow>,
    audit: Vec<AuditRow>,
    can_correct: bool,
    can_replay: bool,
    can_dismiss: bool,
    can_resend: bool,
    can_redeliver: bool,
}

/// `GET /documents/{id}`
pub(crate) async fn one(
    State(console): State<Console>,
    person: Person,
    Path(id): Path<i64>,
    asked: Asked,
) -> Result<Response, Trouble> {
    let mut connection = console.store().read().await?;
    let item = documents::one(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("document"))?;
    let release = release_of(&console, &mut connection, &item).await;
    let from = asked
        .number("from")
        .and_then(|from| u64::try_from(from).ok());
    let version = asked.text("version").unwrap_or_else(|| {
        if item.corrected_sha256.is_some() {
            "corrected"
        } else {
            "original"
        }
        .to_owned()
    });
    let first = original(&mut connection, &item, from).await?;
    let second = corrected(&mut connection, &item).await?;
    let kin = kin_of(&mut connection, &item).await?;
    let audit = journal::audit_of(&mut connection, "document", id).await?;
    drop(connection);

    let set = if item.set_code.is_empty() {
        "?".to_owned()
    } else {
        item.set_code.clone()
    };
    let frame = console
        .frame(
            person,
            Section::Documents,
            format!("{set} {}", item.reference),
            &asked,
        )
        .await?;
    let calendar = frame.calendar;
    let findings = findings_of(&item.findings);
    let diff = match (&first, &second) {
        (Some(first), Some(second)) if version == "difference" => {
            let text = |source: &Source| editor::to_text(&source.bytes, &source.delimiters).text;
            difference::lines(&text(first), &text(second))
        }
        _ => Vec::new(),
    };
    let source = if version == "corrected" {
        second.or(first)
    } else {
        first
    };
    let marked: &[Finding] =
        if version == "original" || item.corrected_sha256.is_none() || item.disposition == "held" {
            &findings
        } else {
            &[]
        };
    let (segments, windows, plain) = match &source {
        Some(source) => parts(source, release, marked, asked.number("from"), &asked),
        None => (
            Vec::new(),
            Windows {
                said: String::new(),
                before: None,
                after: None,
            },
            Vec::new(),
        ),
    };
    let held = item.disposition == "held" && item.direction == "in";
    let page = DocumentPage {
        inbound: item.direction == "in",
        name: set_name(&item.set_code).to_owned(),
        set,
        chips: chips(&item, &calendar),
        created: calendar.when(item.created_at),
        sent: calendar.when_some(item.sent_at),
        due: item
            .answer_due_at
            .filter(|_| item.syntax == "pending")
            .map(|at| calendar.ago(at)),
        overdue: is_overdue(&item, &calendar),
        answered: calendar.when_some(item.answered_at.filter(|_| item.syntax != "pending")),
        delivered: calendar.when_some(item.delivered_at),
        picked_up: calendar.when_some(item.picked_up_at),
        subject: subject_of(&item),
        file_size: item.file_size.map_or_else(String::new, size),
        findings: finding_rows(&findings, source.as_ref(), &asked),
        segments,
        windows,
        plain,
        versions: versions(&item, &version),
        diff,
        kin: kin
            .iter()
            .map(|row| DocumentRow::new(row, &calendar))
            .collect(),
        audit: audit.iter().map(|row| audit_row(row, &calendar)).collect(),
        can_correct: held
            && source
                .as_ref()
                .is_some_and(|source| source.is_whole && source.size > 0),
        can_replay: held || item.delivery == "held",
        can_dismiss: held,
        can_resend: item.direction == "out"
            && (item.syntax == "rejected" || item.application == "rejected")
            && item.delivery != "superseded",
        can_redeliver: item.transmission_id.is_some()
            && item.delivery != "superseded"
            && item.syntax == "pending",
        item,
        frame,
    };
    shown(&page)
}

/// What a document is about: its name and its page.
fn subject_of(item: &DocumentItem) -> Option<(String, String)> {
    let path = path_of(&item.subject_kind, item.subject_id);
    let id = item.subject_id?;
    if path.is_empty() {
        return None;
    }
    let name = match item.subject_kind.as_str() {
        "order" => format!("Order {id}, PO {}", item.reference),
        "invoice" => format!("Invoice {}", item.reference),
        kind => format!("{} {id}", spoken(kind)),
    };
    Some((name, path))
}

/// What we answered a received document with, what replaced one, what it replaced.
async fn kin_of(
    connection: &mut Connection,
    item: &DocumentItem,
) -> Result<Vec<DocumentItem>, Trouble> {
    let mut kin: BTreeMap<i64, DocumentItem> = BTreeMap::new();
    if let Some(interchange) = item.interchange_id.filter(|_| item.direction == "in") {
        for row in documents::of_interchange(connection, interchange).await? {
            kin.insert(row.id, row);
        }
    }
    for row in documents::replacing(connection, item.id).await? {
        kin.insert(row.id, row);
    }
    if let Some(replaced) = item.replaces_id
        && let Some(row) = documents::one(connection, replaced).await?
    {
        kin.insert(row.id, row);
    }
    kin.remove(&item.id);
    Ok(kin.into_values().take(20).collect())
}

fn versions(item: &DocumentItem, shown: &str) -> Vec<(String, String, bool)> {
    if item.corrected_sha256.is_none() {
        return Vec::new();
    }
    [
        ("corrected", "Corrected"),
        ("original", "As received"),
        ("difference", "What was changed"),
    ]
    .map(|(word, name)| (name.to_owned(), format!("?version={word}"), word == shown))
    .into()
}

/// The rows of the reading that a page shows, and the ways to the others.
fn parts(
    source: &Source,
    release: Release,
    findings: &[Finding],
    from: Option<i64>,
    asked: &Asked,
) -> (Vec<SegmentView>, Windows, Vec<(String, bool)>) {
    let link = |at: u64| asked.with("from", &at.to_string());
    if !source.is_whole {
        let read = reading::window(
            &source.bytes,
            &source.delimiters,
            source.offset,
            release,
            findings,
        );
        let shown_to = read.last().map_or(source.offset, |last| last.offset + 1);
        let end = source.begins + source.size;
        let windows = Windows {
            said: format!(
                "from byte {} of {} to {}",
                source.offset, source.begins, end
            ),
            before: (source.offset > source.begins).then(|| {
                link(
                    source
                        .offset
                        .saturating_sub(reading::WINDOW_BYTES / 2)
                        .max(source.begins),
                )
            }),
            after: (shown_to + 1 < end && !read.is_empty()).then(|| link(shown_to)),
        };
        return (read, windows, Vec::new());
    }
    let read = reading::whole(
        &source.bytes,
        &source.delimiters,
        source.offset,
        release,
        findings,
    );
    if read.is_empty() {
        let plain = reading::plain(&source.bytes, source.offset, findings);
        return (
            Vec::new(),
            Windows {
                said: String::new(),
                before: None,
                after: None,
            },
            plain.parts,
        );
    }
    let all = read.len();
    let first = from
        .and_then(|from| usize::try_from(from).ok())
        .map_or(0, |index| index.saturating_sub(1))
        .min(all - 1);
    let first = first - first % reading::WINDOW;
    let until = (first + reading::WINDOW).min(all);
    let windows = Windows {
        said: if all > reading::WINDOW {
            format!("segments {} to {until} of {all}", first + 1)
        } else {
            format!("{all} segments")
        },
        before: (first > 0).then(|| link((first + 1 - reading::WINDOW) as u64)),
        after: (until < all).then(|| link((until + 1) as u64)),
    };
    let segments = read.into_iter().skip(first).take(reading::WINDOW).collect();
    (segments, windows, Vec::new())
}

/// The findings with the way to where each is marked.
fn finding_rows(findings: &[Finding], source: Option<&Source>, asked: &Asked) -> Vec<FindingRow> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    sorted
        .into_iter()
        .map(|finding| FindingRow {
            fault: fault(finding),
            value: finding.value.clone().unwrap_or_default(),
            path: marked_at(&finding.place, source, asked),
            judge: match finding.origin {
                Origin::Standard => "X12 standard",
                Origin::Guide => "partner's guide",
                Origin::Business => "our rules",
                Origin::Partner => "the partner",
                Origin::Transport => "connection",
            },
        })
        .collect()
}

fn marked_at(place: &Place, source: Option<&Source>, asked: &Asked) -> String {
    let Some(source) = source else {
        return String::new();
    };
    match (source.is_whole, place.segment_index, place.byte) {
        (true, Some(index), _) => {
            let from = asked.with("from", &index.to_string());
            format!("{from}#segment-{index}")
        }
        (false, _, Some(byte)) => asked.with("from", &byte.to_string()),
        _ => String::new(),
    }
}

/// `GET /documents/{id}/raw`: the set's bytes as they are; with `?whole=1` the whole file.
pub(crate) async fn raw(
    State(console): State<Console>,
    _person: Person,
    Path(id): Path<i64>,
    asked: Asked,
) -> Result<Response, Trouble> {
    let mut connection = console.store().read().await?;
    let item = documents::one(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("document"))?;
    let bytes = match (
        asked.text("version").as_deref(),
        &item.corrected_sha256,
        &item.sha256,
    ) {
        (Some("corrected"), Some(sha256), _) => connection.content(sha256).await?,
        (_, _, Some(sha256)) => {
            let number = |value: Option<i64>| u64::try_from(value.unwrap_or(0)).unwrap_or(0);
            connection
                .content_range(sha256, number(item.byte_offset), number(item.size))
                .await?
        }
        _ => original(&mut connection, &item, None)
            .await?
            .map(|source| source.bytes)
            .unwrap_or_default(),
    };
    Ok(download(&format!("document-{id}.edi"), bytes))
}

/// Bytes as a file that is saved, never shown.
pub(crate) fn download(name: &str, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, bytes).into_response()
}

// ---- correcting ------------------------------------------------------------------------------------------------------

#[derive(Template)]
#[template(path = "document_correct.html")]
struct CorrectPage {
    frame: Frame,
    item: DocumentItem,
    set: String,
    text: String,
    is_latin1: bool,
    findings: Vec<FindingRow>,
    checked: Option<Vec<Fault>>,
    problem: String,
}

/// What a person has typed into the editor.
pub(crate) struct Typed {
    pub(crate) text: String,
    pub(crate) is_latin1: bool,
    /// Read it and say what the engine finds.
    pub(crate) check: bool,
    pub(crate) problem: String,
}

/// `GET /documents/{id}/correct`
pub(crate) async fn correct(
    State(console): State<Console>,
    person: Person,
    Path(id): Path<i64>,
    asked: Asked,
) -> Result<Response, Trouble> {
    person.require(Role::Ops)?;
    show_editor(&console, person, id, &asked, None).await
}

/// The editor of a held set.
pub(crate) async fn show_editor(
    console: &Console,
    person: Person,
    id: i64,
    asked: &Asked,
    typed: Option<Typed>,
) -> Result<Response, Trouble> {
    let mut connection = console.store().read().await?;
    let item = documents::one(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("document"))?;
    if item.direction != "in" || item.disposition != "held" {
        return Err(Trouble::refused(format!(
            "Document {id} is {}: only a held one can be corrected.",
            item.disposition
        )));
    }
    let first = original(&mut connection, &item, None).await?;
    let source = corrected(&mut connection, &item).await?.or(first);
    let source = source.filter(|source| source.is_whole).ok_or_else(|| {
        Trouble::refused(
            "This set is too large to be corrected here: ask the partner to send it again.",
        )
    })?;
    let checked = match &typed {
        Some(typed) if typed.check => {
            Some(check(console, &mut connection, &item, typed, &source.delimiters).await?)
        }
        _ => None,
    };
    drop(connection);
    let frame = console
        .frame(
            person,
            Section::Documents,
            format!("Correct {} {}", item.set_code, item.reference),
            asked,
        )
        .await?;
    let findings = findings_of(&item.findings);
    let (text, is_latin1, problem) = match typed {
        Some(typed) => (typed.text, typed.is_latin1, typed.problem),
        None => {
            let shown = editor::to_text(&source.bytes, &source.delimiters);
            (shown.text, shown.is_latin1, String::new())
        }
    };
    let page = CorrectPage {
        findings: finding_rows(&findings, None, asked),
        set: item.set_code.clone(),
        text,
        is_latin1,
        checked,
        problem,
        item,
        frame,
    };
    shown(&page)
}

/// The separators of a held set, for its corrected text.
pub(crate) async fn delimiters(console: &Console, id: i64) -> Result<Delimiters, Trouble> {
    let mut connection = console.store().read().await?;
    let item = documents::one(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("document"))?;
    match &item.sha256 {
        Some(sha256) => delimiters_of(&mut connection, &item, sha256).await,
        None => Ok(Delimiters::default()),
    }
}

/// What the engine finds in a text under the standard and the partner's guide; nothing is changed.
async fn check(
    console: &Console,
    connection: &mut Connection,
    item: &DocumentItem,
    typed: &Typed,
    delimiters: &Delimiters,
) -> Result<Vec<Fault>, Trouble> {
    let bytes = match editor::to_bytes(&typed.text, typed.is_latin1, delimiters) {
        Ok(bytes) => bytes,
        Err(refusal) => {
            return Ok(vec![engine_fault(
                "bad",
                "encoding",
                refusal.to_string(),
                String::new(),
            )]);
        }
    };
    let set = match read_set(&bytes, delimiters, 0) {
        Ok(set) => set,
        Err(refusal) => {
            return Ok(vec![engine_fault(
                "bad",
                "not-a-set",
                refusal.to_string(),
                String::new(),
            )]);
        }
    };
    let release = release_of(console, connection, item).await;
    let trading = match item.partner_id {
        Some(partner) => console
            .gateway()
            .trading(connection, PartnerId(partner))
            .await
            .ok(),
        None => None,
    };
    let guide = trading
        .as_ref()
        .and_then(|trading| trading.profile.guide.get(set.code()));
    let annotated = annotate(SchemaRegistry::standard(), release, &set, guide);
    let found = annotated.findings.iter().chain(
        annotated
            .segments
            .iter()
            .flat_map(|segment| &segment.findings),
    );
    Ok(found
        .map(|finding| {
            let class = if finding.rejects() {
                "bad"
            } else if finding.holds() {
                "warn"
            } else {
                "quiet"
            };
            let place = Place {
                segment: finding.segment.clone(),
                segment_index: finding.segment_index,
                element: finding.element.map(u32::from),
                component: finding.component.map(u32::from),
                ..Place::default()
            };
            engine_fault(
                class,
                finding.rule.name(),
                finding.message.clone(),
                place_said(&place),
            )
        })
        .collect())
}

fn engine_fault(class: &'static str, code: &str, message: String, place: String) -> Fault {
    Fault {
        class,
        code: code.to_owned(),
        message,
        place,
    }
}
