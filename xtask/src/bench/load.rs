//! The load generator.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::shapes::Shape;

/// Bodies that are made before they are sent.
pub struct Ready {
    /// What they are.
    pub shape: Shape,
    bodies: Arc<Vec<Bytes>>,
    /// Bytes of one, before compression, on average.
    pub bytes: usize,
}

impl Ready {
    /// Makes the bodies of a shape.
    ///
    /// # Errors
    /// If one cannot be compressed.
    pub fn of(shape: Shape) -> anyhow::Result<Ready> {
        let mut bodies = Vec::with_capacity(shape.events);
        let mut bytes = 0;
        for n in 0..shape.events {
            let (body, length) = shape.body(n)?;
            bodies.push(Bytes::from(body));
            bytes += length;
        }
        Ok(Ready {
            shape,
            bodies: Arc::new(bodies),
            bytes: bytes / shape.events.max(1),
        })
    }
}

/// How sending went.
pub struct Load {
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Of the time until an answer: the median.
    pub p50: Duration,
    /// And the slowest of a hundred.
    pub p99: Duration,
}

/// A client with connections of its own.
pub fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

/// Sends all bodies, to the addresses in turns; at most so many a second, if said.
///
/// # Errors
/// If one of them is not taken.
pub async fn send_all(urls: &[String], ready: &Ready, rate: Option<f64>) -> anyhow::Result<Load> {
    let client = client();
    let urls: Arc<Vec<String>> = Arc::new(urls.to_vec());
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..ready.shape.connections {
        let (client, next, urls) = (client.clone(), next.clone(), urls.clone());
        let (bodies, gzip) = (ready.bodies.clone(), ready.shape.gzip);
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let Some(body) = bodies.get(n) else {
                    return Ok::<_, anyhow::Error>(times);
                };
                if let Some(rate) = rate {
                    let due = start + Duration::from_secs_f64(n as f64 / rate);
                    tokio::time::sleep_until(due.into()).await;
                }
                let at = Instant::now();
                let mut request = Request::post(&urls[n % urls.len()]);
                if gzip {
                    request = request.header("content-encoding", "gzip");
                }
                let answer = client.request(request.body(Full::new(body.clone()))?).await?;
                let status = answer.status();
                let text = answer.into_body().collect().await?.to_bytes();
                if !status.is_success() {
                    bail!("{status}: {}", String::from_utf8_lossy(&text));
                }
                times.push(at.elapsed());
            }
        }));
    }
    let mut times = Vec::with_capacity(ready.shape.events);
    for task in tasks {
        times.extend(task.await??);
    }
    let seconds = start.elapsed().as_secs_f64();
    times.sort_unstable();
    Ok(Load {
        seconds,
        p50: percentile(&times, 50),
        p99: percentile(&times, 99),
    })
}

/// A percentile of sorted times.
pub fn percentile(sorted: &[Duration], p: usize) -> Duration {
    let at = (sorted.len() * p / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

/// Asks the API; answers the status and the JSON.
///
/// # Errors
/// If there is no answer.
pub async fn get(url: &str, token: &str) -> anyhow::Result<(u16, Value)> {
    let request = Request::get(url)
        .header("authorization", format!("Bearer {token}"))
        .body(Full::default())?;
    let answer = client().request(request).await?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await?.to_bytes();
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}
