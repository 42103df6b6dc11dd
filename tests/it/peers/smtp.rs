//! A real SMTP server: aiosmtpd, run by the Python that `SUPERCARGO_TEST_PYTHON` names.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What it asks of its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    Nothing,
    StartTls,
    Tls,
    StartTlsAndLogin,
}

impl Asks {
    fn word(self) -> &'static str {
        match self {
            Asks::Nothing => "nothing",
            Asks::StartTls => "starttls",
            Asks::Tls => "tls",
            Asks::StartTlsAndLogin => "login",
        }
    }
}

/// The one login that it knows.
pub const USER: &str = "supercargo";
pub const PASSWORD: &str = "mail horse";

/// Recipients whose name begins with `unknown` are refused for good (550), those with `later` until they are tried again (450); a mail whose
/// subject holds `refuse` is refused after its text.
const PROGRAM: &str = r#"
import asyncio, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

asks, cert, key, mails, user, password = sys.argv[1:7]

class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("unknown"):
            return "550 5.1.1 no such user here"
        if address.startswith("later"):
            return "451 4.7.1 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        text = envelope.content.decode("utf-8", "replace")
        if "refuse" in text.split("\r\n\r\n")[0]:
            return "554 5.7.1 not this one"
        with open(mails, "a") as out:
            out.write(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "text": text,
                                  "tls": server.transport.get_extra_info("sslcontext") is not None, "login": bool(session.authenticated)}) + "\n")
        return "250 OK"

def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == (user, password)
    # handled=False makes the server answer; otherwise a bad password hangs
    return AuthResult(success=right, handled=False)

async def main():
    context = None
    if asks != "nothing":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(cert, key)
    starttls = asks in ("starttls", "login")
    def session():
        return SMTP(Handler(), tls_context=context if starttls else None, require_starttls=starttls,
                    authenticator=authenticate, auth_required=asks == "login", auth_require_tls=True, timeout=20)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if asks == "tls" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"#;

/// A running server; it ends with this value.
pub struct SmtpServer {
    pub port: u16,
    /// The certificate authority that signed its certificate for `localhost`.
    pub authority: PathBuf,
    mails: PathBuf,
    child: Child,
}

/// A mail that it took.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct TakenMail {
    pub from: String,
    pub to: Vec<String>,
    pub text: String,
    pub tls: bool,
    pub login: bool,
}

impl SmtpServer {
    /// Starts it with its files in `folder`. `None`, after a printed word, where aiosmtpd or openssl is missing.
    pub fn start(folder: &Path, asks: Asks) -> Option<SmtpServer> {
        let test = super::test_name();
        let Some(python) = std::env::var_os("SUPERCARGO_TEST_PYTHON") else {
            super::left_out(
                &test,
                "needs aiosmtpd: SUPERCARGO_TEST_PYTHON is not set; tests/run sets it",
            );
            return None;
        };
        if !make_certificates(folder) {
            super::left_out(&test, "needs certificates; install openssl");
            return None;
        }
        let (program, mails) = (folder.join("smtp.py"), folder.join("mails"));
        std::fs::write(&program, PROGRAM).expect("writes");
        let mut command = Command::new(python);
        command
            .arg(&program)
            .arg(asks.word())
            .arg(folder.join("server.pem"))
            .arg(folder.join("server.key"));
        command
            .arg(&mails)
            .args([USER, PASSWORD])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .expect("the Python of SUPERCARGO_TEST_PYTHON runs");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("says its port");
        let port = line
            .trim()
            .parse()
            .expect("aiosmtpd is there and says its port");
        Some(SmtpServer {
            port,
            authority: folder.join("ca.pem"),
            mails,
            child,
        })
    }

    pub fn taken(&self) -> Vec<TakenMail> {
        let text = std::fs::read_to_string(&self.mails).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).expect("one mail a line"))
            .collect()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An authority and a certificate for localhost, both for a day: `ca.pem`, and `server.pem` with `server.key`. False where
/// openssl is missing.
pub(super) fn make_certificates(folder: &Path) -> bool {
    std::fs::write(folder.join("san"), "subjectAltName=DNS:localhost\n").expect("writes");
    let steps = [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=authority -keyout ca.key -out ca.pem",
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -extfile san -out server.pem",
    ];
    steps.iter().all(|step| {
        let mut openssl = Command::new("openssl");
        openssl
            .args(step.split(' '))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        openssl.status().is_ok_and(|status| status.success())
    })
}
