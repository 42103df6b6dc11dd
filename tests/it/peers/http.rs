//! Requests to the console by hand, as bytes over a connection of their own.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// One request: the status and the whole answer. `head` is the first line and further header lines.
pub async fn ask(host: &str, head: &str, body: &str) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(host)
        .await
        .expect("the console answers");
    let request = format!(
        "{head}\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the request goes out");
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .await
        .expect("an answer comes back");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse().ok())
        .unwrap_or(0);
    (status, answer)
}

fn cookie(answer: &str, name: &str) -> String {
    let from = answer.split(&format!("{name}=")).nth(1).unwrap_or_default();
    from.split(';').next().unwrap_or_default().to_owned()
}

/// Signs in: the status and the cookie of the session.
pub async fn sign_in(host: &str, name: &str, password: &str) -> (u16, String) {
    let (_, form) = ask(host, "GET /login HTTP/1.1", "").await;
    let gate = cookie(&form, "supercargo_gate");
    let body = format!(
        "gate={gate}&name={name}&password={}",
        password.replace(' ', "+")
    );
    let head = format!(
        "POST /login HTTP/1.1\r\ncookie: supercargo_gate={gate}\r\ncontent-type: application/x-www-form-urlencoded"
    );
    let (status, answer) = ask(host, &head, &body).await;
    let session = cookie(&answer, "supercargo_session");
    (status, format!("supercargo_session={session}"))
}
