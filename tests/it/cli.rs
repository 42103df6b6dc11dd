//! The contract of the command line, driven as a stranger would: the real binary, its JSON fields, its exit statuses.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The day the samples were written for.
pub(crate) const NOW: &str = "2026-01-05T15:00:00Z";

/// A data folder and the program that works on it.
pub(crate) struct House {
    folder: TempDir,
}

fn run(mut command: Command, input: &[u8]) -> Output {
    let mut child = command
        .env_remove("DATABASE_URL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input");
    // A program that refuses its arguments does not read its input.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

fn program(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_supercargo"));
    command.current_dir(ROOT).args(arguments);
    run(command, b"")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl House {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn with_input(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supercargo"));
        command
            .current_dir(ROOT)
            .args(arguments)
            .arg("--data")
            .arg(self.data())
            .args(["--now", NOW]);
        run(command, input)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.with_input(arguments, b"")
    }

    /// Runs what has to succeed.
    pub(crate) fn done(&self, arguments: &[&str]) {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
    }

    /// The JSON of a command and its exit status.
    pub(crate) fn json(&self, arguments: &[&str]) -> (Value, Option<i32>) {
        let output = self.run(&[arguments, &["--json"]].concat());
        let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!(
                "{arguments:?}: {error}: {} {}",
                text(&output.stdout),
                text(&output.stderr)
            )
        });
        (value, output.status.code())
    }

    pub(crate) fn list(&self, arguments: &[&str]) -> Vec<Value> {
        let (value, status) = self.json(arguments);
        assert_eq!(status, Some(0), "{arguments:?}");
        value.as_array().expect("an array").clone()
    }

    /// The sample partner with everything its orders need.
    pub(crate) fn with_samples() -> Self {
        let house = Self::new();
        house.done(&[
            "partner",
            "apply",
            "config/partners/bigmart.toml",
            "config/partners/dropmart.toml",
            "config/partners/freshway.toml",
        ]);
        for (list, file) in [
            ("item", "samples/items.csv"),
            ("warehouse", "samples/warehouses.csv"),
            ("stock", "samples/stock.csv"),
        ] {
            house.done(&[list, "import", file]);
        }
        for partner in ["bigmart", "dropmart"] {
            for list in ["price", "location"] {
                house.done(&[
                    list,
                    "import",
                    &format!("samples/{partner}/{list}s.csv"),
                    "--partner",
                    partner,
                ]);
            }
        }
        house
    }
}

/// Fails for the first field that is missing.
fn has_fields(value: &Value, fields: &[&str]) {
    let object = value.as_object().expect("an object");
    for field in fields {
        assert!(object.contains_key(*field), "{field} is missing in {value}");
    }
}

const DOCUMENT_FIELDS: &[&str] = &[
    "id",
    "direction",
    "set",
    "isa13",
    "gs06",
    "st02",
    "delivery",
    "syntax",
    "application",
];

#[test]
fn an_order_is_followed_from_its_file_to_its_receivable() {
    let house = House::with_samples();
    let (submitted, status) = house.json(&[
        "submit",
        "samples/dropmart/850-01-one-item.edi",
        "--partner",
        "dropmart",
    ]);
    assert_eq!(status, Some(0));
    has_fields(
        &submitted,
        &["file", "sha256", "disposition", "interchanges"],
    );
    assert_eq!(submitted["disposition"], "processed");
    has_fields(
        &submitted["interchanges"][0],
        &["isa13", "mode", "disposition", "sets"],
    );
    let order = house.list(&["order", "list"]).remove(0);
    has_fields(
        &order,
        &[
            "order",
            "po_number",
            "partner",
            "mode",
            "status",
            "received_at",
            "lines",
            "documents",
        ],
    );
    has_fields(
        &order["lines"][0],
        &[
            "line",
            "item",
            "ordered",
            "unit",
            "confirmed",
            "shipped",
            "invoiced",
            "backordered",
            "status",
        ],
    );
    for document in order["documents"].as_array().unwrap() {
        has_fields(document, DOCUMENT_FIELDS);
    }
    let sets: Vec<&str> = order["documents"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|document| document["set"].as_str())
        .collect();
    assert_eq!(sets, ["850", "997", "855", "856", "810"]);
    let id = order["order"].as_str().expect("text");
    let (shown, status) = house.json(&["order", "show", id]);
    assert_eq!((shown["order"].as_str(), status), (Some(id), Some(0)));
    let shipment = house.list(&["shipment", "list"]).remove(0);
    has_fields(
        &shipment,
        &[
            "shipment",
            "orders",
            "warehouse",
            "status",
            "cartons",
            "carrier",
            "tracking",
        ],
    );
    has_fields(&shipment["cartons"][0], &["sscc", "store", "contents"]);
    let invoice = house.list(&["invoice", "list"]).remove(0);
    has_fields(
        &invoice,
        &[
            "invoice_number",
            "kind",
            "partner",
            "po_numbers",
            "status",
            "overdue",
            "total",
            "open_amount",
            "disputed_amount",
            "currency",
            "due_date",
        ],
    );
    assert_eq!(
        (invoice["status"].as_str(), invoice["overdue"].as_bool()),
        (Some("open"), Some(false))
    );
    let aging = house.list(&["receivables", "aging"]).remove(0);
    assert_eq!(
        (&aging["current"], &aging["total"]),
        (&invoice["total"], &invoice["total"])
    );
    let (number, total) = (
        invoice["invoice_number"].as_str().unwrap(),
        invoice["total"].as_str().unwrap(),
    );
    house.done(&[
        "pay",
        "--partner",
        "dropmart",
        "--reference",
        "CHK-1",
        "--amount",
        total,
        "--apply",
        &format!("{number}={total}"),
    ]);
    let (paid, _) = house.json(&["invoice", "show", number]);
    assert_eq!(
        (paid["status"].as_str(), paid["open_amount"].as_str()),
        (Some("paid"), Some("0.00"))
    );
    assert_eq!(
        house.run(&["settle", "--timeout", "20"]).status.code(),
        Some(0)
    );
}

#[test]
fn what_is_refused_or_held_says_so_by_its_status() {
    let house = House::with_samples();
    let (fault, _) = house.json(&[
        "submit",
        "samples/bigmart/850-03-syntax-fault.edi",
        "--partner",
        "bigmart",
    ]);
    assert_eq!(
        fault["interchanges"][0]["sets"][0]["disposition"],
        "rejected"
    );
    let (again, status) = house.json(&[
        "submit",
        "samples/bigmart/850-03-syntax-fault.edi",
        "--partner",
        "bigmart",
    ]);
    assert_eq!(
        (again["disposition"].as_str(), status),
        (Some("duplicate"), Some(1))
    );
    let rejected = house
        .list(&["document", "list", "--disposition", "rejected"])
        .remove(0);
    has_fields(
        &rejected,
        &[DOCUMENT_FIELDS, &["partner", "disposition", "findings"]].concat(),
    );
    has_fields(
        &rejected["findings"][0],
        &["code", "message", "byte", "segment", "element"],
    );
    let raw = house.run(&["document", "raw", rejected["id"].as_str().unwrap()]);
    assert!(
        text(&raw.stdout).starts_with("ST*850*"),
        "{}",
        text(&raw.stdout)
    );
    let broken = house.folder.path().join("broken.edi");
    for bytes in [&b""[..], b"PK\x03\x04 no order", &[0_u8; 10_000]] {
        std::fs::write(&broken, bytes).unwrap();
        let (refused, status) =
            house.json(&["submit", broken.to_str().unwrap(), "--partner", "bigmart"]);
        assert_eq!(
            (refused["disposition"].as_str(), status),
            (Some("rejected"), Some(1))
        );
    }
    let submitted = house.run(&[
        "submit",
        "samples/bigmart/850-01-three-orders.edi",
        "--partner",
        "bigmart",
    ]);
    assert!(submitted.status.success());
    let held = house.list(&["order", "list", "--status", "held"]).remove(0);
    let id = held["order"].as_str().unwrap();
    let told = text(&submitted.stdout);
    assert_eq!(told.matches("is held").count(), 1, "{told}");
    for part in [
        format!("order {id} (PO 4500001003) is held:"),
        "price-differs: Line".to_owned(),
        format!("`supercargo order release {id} --reason"),
    ] {
        assert!(told.contains(&part), "{part} is not in {told}");
    }
    assert_eq!(
        house.run(&["order", "release", id]).status.code(),
        Some(2),
        "a reason is needed"
    );
    house.done(&["order", "release", id, "--reason", "agreed by phone"]);
    assert_eq!(
        house
            .run(&["order", "release", id, "--reason", "again"])
            .status
            .code(),
        Some(1)
    );
}

#[test]
fn a_listed_shipment_is_confirmed_as_it_was_listed() {
    let house = House::with_samples();
    house.done(&[
        "submit",
        "samples/bigmart/850-01-three-orders.edi",
        "--partner",
        "bigmart",
    ]);
    let planned = house
        .list(&[
            "shipment",
            "list",
            "--status",
            "planned",
            "--warehouse",
            "WEST",
        ])
        .remove(0);
    let file = house.folder.path().join("confirmation.json");
    std::fs::write(&file, planned.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let early = house.run(&["shipment", "confirm", file]);
    assert_eq!(
        early.status.code(),
        Some(1),
        "its window is not open: {}",
        text(&early.stdout)
    );
    house.done(&[
        "shipment",
        "confirm",
        file,
        "--override",
        "the buyer asked for it",
    ]);
    let (left, _) = house.json(&["shipment", "show", planned["shipment"].as_str().unwrap()]);
    assert_eq!(left["status"], "shipped");
}

#[test]
fn every_listing_of_an_empty_house_is_an_empty_array() {
    let house = House::new();
    for listing in [
        &["partner", "list"][..],
        &["mailbox", "list"],
        &["item", "list"],
        &["price", "list"],
        &["stock", "list"],
        &["location", "list"],
        &["warehouse", "list"],
        &["order", "list"],
        &["document", "list"],
        &["shipment", "list"],
        &["invoice", "list"],
        &["receivables", "aging"],
        &["receivables", "deductions"],
        &["receivables", "unapplied"],
        &["file", "list"],
        &["file", "sent"],
        &["alert", "list"],
        &["mail", "list"],
        &["audit", "list"],
        &["user", "list"],
    ] {
        assert_eq!(house.list(listing), Vec::<Value>::new(), "{listing:?}");
        assert!(
            text(&house.run(listing).stdout).starts_with("No "),
            "{listing:?}"
        );
    }
}

#[test]
fn usage_and_broken_systems_are_2_and_refusals_1() {
    let house = House::new();
    for (arguments, status) in [
        (&["order", "list", "--nonsense"][..], 2),
        (&["no-such-command"], 2),
        (&["order", "show", "x"], 2),
        (&["order", "show", "99"], 1),
        (&["invoice", "show", "99"], 1),
        (&["partner", "show", "nobody"], 1),
        (&["order", "list", "--partner", "nobody"], 1),
        (&["item", "import", "no-such-file.csv"], 2),
        (&["submit", "no-such-file.edi", "--partner", "nobody"], 2),
        (&["partner", "apply", "samples/items.csv"], 1),
        (&["migrate"], 0),
        (&["--help"], 0),
    ] {
        let output = house.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        assert_eq!(output.stderr.is_empty(), status == 0, "{arguments:?}");
    }
}

#[test]
fn users_are_added_listed_and_retired() {
    let house = House::new();
    let arguments = ["user", "add", "pat", "--role", "ops,ar", "--password-stdin"];
    assert_eq!(
        house.with_input(&arguments, b"short\n").status.code(),
        Some(1)
    );
    assert_eq!(
        house.with_input(&arguments, b"long enough\n").status.code(),
        Some(0)
    );
    let user = house.list(&["user", "list"]).remove(0);
    assert_eq!(
        (user["user"].as_str(), user["roles"].to_string()),
        (Some("pat"), "[\"ops\",\"ar\"]".to_owned())
    );
    house.done(&["user", "retire", "pat"]);
    assert_eq!(
        house.run(&["user", "retire", "nobody"]).status.code(),
        Some(1)
    );
}

#[test]
fn doctor_tells_what_is_missing() {
    let house = House::new();
    let (checks, status) = house.json(&["doctor"]);
    assert_eq!(status, Some(1));
    let of = |name: &str| {
        let found = checks
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["check"] == name);
        found.unwrap_or_else(|| panic!("{name} in {checks}"))["sound"].as_bool()
    };
    for (name, sound) in [
        ("database", true),
        ("data folder", true),
        ("host key", true),
        ("clock", true),
        ("partners", false),
        ("items", false),
    ] {
        assert_eq!(of(name), Some(sound), "{name}");
    }
}

#[test]
fn files_are_judged_explained_acknowledged_and_turned_without_a_database() {
    let fault = "samples/bigmart/850-03-syntax-fault.edi";
    let output = program(&["validate", "--json", fault, "samples/dropmart"]);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for line in &lines {
        has_fields(
            line,
            &[
                "file",
                "accepted",
                "interchanges",
                "groups",
                "sets",
                "segments",
                "findings",
            ],
        );
    }
    assert_eq!(
        (lines[0]["accepted"].as_bool(), lines[0]["sets"].as_u64()),
        (Some(false), Some(2))
    );
    assert_eq!(
        program(&["validate", "samples/dropmart/850-01-one-item.edi"])
            .status
            .code(),
        Some(0)
    );
    let explained = text(&program(&["explain", fault]).stdout);
    assert!(
        explained.contains("    DTM*037*20260231") && explained.contains("            ^^^^^^^^\n"),
        "{explained}"
    );
    // What is wrong with an envelope stands outside the sets, and refuses the file too.
    let sound =
        std::fs::read_to_string(Path::new(ROOT).join("samples/dropmart/850-01-one-item.edi"))
            .unwrap();
    let cut = sound.split("IEA^").next().unwrap().to_owned();
    let explained = House::new().with_input(&["explain", "--json", "-"], cut.as_bytes());
    assert_eq!(explained.status.code(), Some(1));
    let last: Value =
        serde_json::from_str(text(&explained.stdout).lines().last().unwrap()).unwrap();
    assert_eq!(last["findings"].as_array().map(Vec::len), Some(1), "{last}");
    let acknowledged = program(&["ack", fault]);
    let bytes = text(&acknowledged.stdout);
    assert!(
        bytes.contains("~AK2*850*0001~")
            && bytes.contains("~AK5*R*5~")
            && bytes.contains("~AK9*P*2*2*1~"),
        "{bytes}"
    );
    let json = program(&["json", fault]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.json");
    std::fs::write(&path, &json.stdout).unwrap();
    let back = program(&["json", "--back", path.to_str().unwrap()]);
    assert_eq!(
        back.stdout,
        std::fs::read(Path::new(ROOT).join(fault)).unwrap()
    );
    let redacted = program(&["redact", fault]);
    assert_eq!(
        redacted.status.code(),
        Some(0),
        "{}",
        text(&redacted.stderr)
    );
    assert!(!text(&redacted.stdout).contains("BIGMART"));
}

/// Interchanges of one order each with these control numbers, whose ISA and GS are as `edit` makes them.
fn interchanges(numbers: &[u32], edit: impl Fn(u32, String) -> String) -> Vec<u8> {
    let one = |number: &u32| {
        let text = format!(
            "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*{number:09}*0*P*>~GS*PO*BUYERGS*SELLERGS*20260115*1230*{number}*X*004010~ST*850*0001~BEG*00*SA*4711**20260115~PO1*1*12*EA*8.5~CTT*1~SE*5*0001~GE*1*{number}~IEA*1*{number:09}~\n"
        );
        edit(*number, text)
    };
    numbers.iter().map(one).collect::<String>().into_bytes()
}

/// What one sender's address makes impossible to answer costs no other its answer, and is told.
#[test]
fn one_bad_address_costs_no_other_interchange_its_acknowledgment() {
    let acknowledged = |file: &[u8], more: &[&str]| {
        let output = House::new().with_input(&[&["ack", "-"], more].concat(), file);
        let count = |what: &str| text(&output.stdout).matches(what).count();
        let counts = [count("~ST*997*"), count("~TA1*")];
        (
            output.status.code(),
            counts,
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let second = |from: &'static str, to: &'static str| {
        interchanges(&[1, 2, 3], move |number, text| {
            assert!(text.contains(from));
            if number == 2 {
                text.replace(from, to)
            } else {
                text
            }
        })
    };
    // A group's code that can not be said again gives way to the address in the ISA.
    for code in ["  ", "S", "S>S"] {
        let file = interchanges(&[1, 2, 3], |number, text| match number {
            2 => text.replace("*SELLERGS*", &format!("*{code}*")),
            _ => text,
        });
        let (status, counts, printed, told) = acknowledged(&file, &[]);
        assert_eq!(
            (status, counts, told.as_str()),
            (Some(0), [3, 0], ""),
            "{code}"
        );
        assert!(printed.contains("GS*FA*SELLER*BUYERGS*"), "{printed}");
    }
    // An address in the ISA has nothing that could stand in its place: no answer, and the reason by the received element.
    let long = second("*ZZ*BUYER          *", "*ZZ*BUYERWITHALONGADDRESS*");
    for (more, ta1s) in [(&[][..], 0), (&["--ta1"], 2)] {
        let (status, counts, _, told) = acknowledged(&long, more);
        assert_eq!((status, counts), (Some(1), [2, ta1s]), "{told}");
        assert!(
            told.contains(
                "interchange 000000002 (byte 247, line 2): no TA1: ISA06 is `BUYERWITHALONGADDRESS`"
            ),
            "{told}"
        );
    }
    let blank = second("*ZZ*SELLER         *", "*ZZ*               *");
    let (status, counts, _, told) = acknowledged(&blank, &[]);
    assert_eq!((status, counts), (Some(1), [2, 0]), "{told}");
    assert!(
        told.contains("interchange 000000002 (byte 247, line 2), group 1 (GS06 2): not acknowledged: ISA08 is ``"),
        "{told}"
    );
    let unknown = second("*ZZ*BUYER          *", "*ZZ*               *");
    let (status, counts, _, told) = acknowledged(&unknown, &[]);
    assert_eq!((status, counts), (Some(1), [2, 0]), "{told}");
    assert!(
        told.contains("interchange 000000002") && told.contains("ISA06"),
        "{told}"
    );
    // Control numbers begin again behind the last one.
    let (status, counts, printed, _) = acknowledged(
        &interchanges(&[1, 2], |_, text| text),
        &["--control-number", "999999999"],
    );
    assert_eq!((status, counts), (Some(0), [2, 0]));
    assert!(
        printed.contains("IEA*1*999999999~") && printed.contains("IEA*1*000000001~"),
        "{printed}"
    );
    // A 999 needs a separator of repetitions, which the sender may use for its components.
    let caret = interchanges(&[1], |_, text| text.replace("*P*>~", "*P*^~"));
    let output = House::new().with_input(&["ack", "--set", "999", "-"], &caret);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("~ST*999*"));
}

#[test]
fn acknowledgments_are_not_acknowledged_and_no_json_is_made_of_them() {
    let file = interchanges(&[1], |_, text| {
        text.replace("GS*PO*", "GS*FA*").replace(
            "ST*850*0001~BEG*00*SA*4711**20260115~PO1*1*12*EA*8.5~CTT*1~SE*5*",
            "ST*997*0001~AK1*PO*1~AK9*A*1*1*1~SE*4*",
        )
    });
    let ta1 = interchanges(&[1], |_, text| {
        let (isa, _) = text.split_once("GS*").unwrap();
        format!("{isa}TA1*000000009*260115*1230*A*000~IEA*0*000000001~")
    });
    for file in [file, ta1] {
        let output = House::new().with_input(&["ack", "-"], &file);
        assert_eq!(output.status.code(), Some(1));
        let told = text(&output.stderr);
        assert!(
            told.contains("holds acknowledgments, and those are not acknowledged"),
            "{told}"
        );
    }
    let output =
        House::new().with_input(&["ack", "--json", "-"], &interchanges(&[1], |_, text| text));
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(text(&output.stderr).contains("leave out --json"));
}

/// What the gateway rejects as an archive, the commands that need none reject too, with what to do.
#[test]
fn an_archive_is_told_as_one_without_a_database_too() {
    let sound =
        std::fs::read(Path::new(ROOT).join("samples/dropmart/850-01-one-item.edi")).unwrap();
    let archive = [b"PK\x03\x04\x14\x00".as_slice(), &sound].concat();
    let judged = |arguments: &[&str]| {
        let output = House::new().with_input(arguments, &archive);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        (text(&output.stdout), text(&output.stderr))
    };
    for arguments in [&["validate", "-"][..], &["explain", "-"]] {
        let (told, _) = judged(arguments);
        assert!(
            told.contains("is a ZIP archive") && told.contains("Unpack it"),
            "{arguments:?}: {told}"
        );
        let (told, _) = judged(&[arguments, &["--json"]].concat());
        let line: Value = serde_json::from_str(&told).unwrap();
        let found = line["findings"].as_array().unwrap();
        assert_eq!(found.len(), 1, "{told}");
        let said = found[0]["message"].as_str().unwrap();
        assert!(said.contains("is a ZIP archive"), "{said}");
        assert!(told.contains("file-not-x12"), "{told}");
    }
    for command in ["ack", "redact"] {
        let (printed, told) = judged(&[command, "-"]);
        assert_eq!(printed, "", "{command}");
        assert!(
            told.contains("is a ZIP archive") && told.contains("Unpack it"),
            "{command}: {told}"
        );
    }
}

/// A word that an option does not know is no empty listing: it is refused, with the words that it knows.
#[test]
fn words_that_do_not_exist_are_refused_with_those_that_do() {
    let house = House::new();
    for (listing, option, known) in [
        ("order", "--status", "partly_shipped"),
        ("invoice", "--status", "partially_paid"),
        ("invoice", "--kind", "credit"),
        ("shipment", "--status", "cancelled"),
        ("document", "--disposition", "duplicate"),
        ("document", "--delivery", "picked_up"),
        ("document", "--syntax", "accepted_with_errors"),
        ("document", "--direction", "out"),
    ] {
        let output = house.with_input(&[listing, "list", option, "frobnicated"], b"");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{listing} {option}: {told}");
        for word in [option, "frobnicated", known] {
            assert!(
                told.contains(word),
                "{listing} {option}: {word} not in {told}"
            );
        }
    }
}
