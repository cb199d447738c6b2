//! A gateway before a platform that answers what a test wants, and passes everything else on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A request as it came.
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
}

impl Asked {
    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path.split('?').next() == Some(path)
    }
}

/// Answers a request by itself, on the wire; `false`: it is passed on.
type Answer = dyn Fn(&Asked, &mut Wire) -> bool + Send + Sync;

/// Where an answer goes. Counts what is taken of it.
pub(crate) struct Wire {
    stream: TcpStream,
    taken: Arc<AtomicU64>,
}

impl Wire {
    /// Head and body as they are.
    pub(crate) fn say(&mut self, status: &str, headers: &str, body: &[u8]) -> bool {
        let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n", body.len());
        let _ = self.write(head.as_bytes()) && self.write(body);
        true
    }

    pub(crate) fn json(&mut self, body: &str) -> bool {
        self.say("200 OK", "content-type: application/json\r\n", body.as_bytes())
    }

    /// A body that goes on until the other side has had enough, or, after so many bytes, this one.
    pub(crate) fn flood(&mut self, headers: &str, piece: &[u8], most: u64) -> bool {
        let mut open = self.write(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}\r\n").as_bytes());
        let mut sent = 0;
        while open && sent < most {
            open = self.write(piece);
            sent += piece.len() as u64;
        }
        true
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        let written = self.stream.write_all(bytes).is_ok();
        self.taken.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        written
    }
}

/// The gateway. Its threads end with it, at their next connection.
pub(crate) struct Gateway {
    pub(crate) address: String,
    pub(crate) port: u16,
    ended: Arc<AtomicBool>,
    taken: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
}

impl Gateway {
    /// Stands before the platform at `upstream` (`http://host:port`). Addresses in the platform's answers lead past it.
    pub(crate) fn before(upstream: &str, answer: impl Fn(&Asked, &mut Wire) -> bool + Send + Sync + 'static) -> Gateway {
        Gateway::standing(upstream, false, answer)
    }

    /// The same, and addresses in the platform's answers lead to the gateway.
    pub(crate) fn instead_of(upstream: &str, answer: impl Fn(&Asked, &mut Wire) -> bool + Send + Sync + 'static) -> Gateway {
        Gateway::standing(upstream, true, answer)
    }

    fn standing(upstream: &str, renames: bool, answer: impl Fn(&Asked, &mut Wire) -> bool + Send + Sync + 'static) -> Gateway {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let gateway = Gateway {
            address: format!("http://127.0.0.1:{port}"),
            port,
            ended: Arc::default(),
            taken: Arc::default(),
            asked: Arc::default(),
        };
        let (ended, taken, asked) = (gateway.ended.clone(), gateway.taken.clone(), gateway.asked.clone());
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let answer: Arc<Answer> = Arc::new(answer);
        let own = renames.then(|| format!("127.0.0.1:{port}"));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (upstream, own, answer, taken, asked) = (upstream.clone(), own.clone(), answer.clone(), taken.clone(), asked.clone());
                std::thread::spawn(move || drop(serve(stream, &upstream, own.as_deref(), &answer, taken, &asked)));
            }
        });
        gateway
    }

    /// Bytes of its own answers that were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Requests that came.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// `own`: the host and port that stand in answers for the upstream's.
fn serve(
    stream: TcpStream,
    upstream: &str,
    own: Option<&str>,
    answer: &Arc<Answer>,
    taken: Arc<AtomicU64>,
    asked: &AtomicU64,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut head, mut length) = (String::new(), 0_u64);
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            // No HTTP: what begins a TLS session is no text.
            Err(_) => return reader.into_inner().write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
        }
        if line == "\r\n" {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if !lower.starts_with("connection:") {
            head.push_str(&line);
        }
    }
    asked.fetch_add(1, Ordering::Relaxed);
    let mut words = head.split_whitespace();
    let told = Asked { method: words.next().unwrap_or_default().to_owned(), path: words.next().unwrap_or_default().to_owned() };
    let mut wire = Wire { stream, taken };
    let mut body = reader.take(length);
    if answer(&told, &mut wire) {
        // What was sent is read, or the connection would be reset under the answer.
        std::io::copy(&mut body, &mut std::io::sink())?;
        return Ok(());
    }
    let mut onward = TcpStream::connect(upstream)?;
    onward.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
    std::io::copy(&mut body, &mut onward)?;
    let Some(own) = own else {
        std::io::copy(&mut onward, &mut wire.stream)?;
        return Ok(());
    };
    let mut told = Vec::new();
    onward.read_to_end(&mut told)?;
    // Of equal length, or the answer's own length would be wrong.
    assert_eq!(upstream.len(), own.len(), "ports of five digits");
    while let Some(at) = told.windows(own.len()).position(|piece| piece == upstream.as_bytes()) {
        told[at..at + own.len()].copy_from_slice(own.as_bytes());
    }
    wire.stream.write_all(&told)
}
