//! A store that is full: how fast the server starts on it, and how long questions take, cold and warm, while more
//! events come in.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::load::{Ready, percentile, send_all};
use super::server::Server;
use super::shapes::SHAPES;

/// How often each question is asked.
const TIMES: usize = 20;
/// Events a second that come in meanwhile.
const RATE: f64 = 1000.0;

/// A question: what it is, and its path for the nth time it is asked.
type Question = (&'static str, Box<dyn Fn(usize) -> String + Send + Sync>);

async fn questions(server: &Server) -> anyhow::Result<Vec<Question>> {
    let list = "organizations/acme/issues/?query=&sort=freq&limit=5&statsPeriod=90d";
    let (_, busy) = server.get(list).await?;
    let issue = busy[0]["id"].as_str().context("no issue")?.to_owned();
    let project = busy[0]["project"]["slug"]
        .as_str()
        .context("no project")?
        .to_owned();
    let (_, events) = server
        .get(&format!("organizations/acme/issues/{issue}/events/?per_page=50"))
        .await?;
    let ids: Vec<String> = events
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|e| e["id"].as_str().map(str::to_owned))
        .collect();
    if ids.is_empty() {
        bail!("the busiest issue has no events");
    }
    let (of_issue, of_event, of_tags, with_tag) =
        (issue.clone(), issue.clone(), issue.clone(), issue.clone());
    let words = [
        "timeout",
        "refused",
        "unexpected",
        "missing",
        "overflow",
        "denied",
        "stale",
    ];
    let all = "organizations/acme/issues/?limit=25&statsPeriod=90d&query=";
    Ok(vec![
        (
            "issue list",
            Box::new(move |n| format!("{all}is:unresolved&sort={}", ["date", "new"][n % 2])),
        ),
        (
            "issue page: issue",
            Box::new(move |_| format!("organizations/acme/issues/{of_issue}/")),
        ),
        (
            "issue page: newest event",
            Box::new(move |_| format!("organizations/acme/issues/{of_event}/events/latest/")),
        ),
        (
            "event by id",
            Box::new(move |n| format!("projects/acme/{project}/events/{}/", ids[n % ids.len()])),
        ),
        (
            "issue list by tag of one customer",
            Box::new(move |n| format!("{all}customer:c{}", n * 37 % 2000)),
        ),
        (
            "issue list by a word of the title",
            Box::new(move |n| format!("{all}title:*{}*", words[n % 7])),
        ),
        (
            "issue list with event filter (rows): one of 16 shards",
            Box::new(move |n| format!("{all}shard:{}", n % 16)),
        ),
        (
            "part of a word of messages",
            Box::new(move |n| format!("{all}message:*{}*", &words[n % 7][1..5])),
        ),
        (
            "events of the busiest issue by tag",
            Box::new(move |n| {
                format!(
                    "organizations/acme/issues/{with_tag}/events/?query=shard:{}",
                    n % 16
                )
            }),
        ),
        (
            "facets of the newest 100,000 events of an issue",
            Box::new(move |_| format!("organizations/acme/issues/{of_tags}/tags/")),
        ),
    ])
}

async fn ask(server: &Server, questions: &[Question], times: usize) -> anyhow::Result<Vec<Vec<Duration>>> {
    let mut all = Vec::new();
    for (what, path) in questions {
        eprintln!("asking: {what}");
        let mut took = Vec::with_capacity(times);
        for n in 0..times {
            let path = path(n);
            let at = Instant::now();
            let (status, answer) = server.get(&path).await?;
            took.push(at.elapsed());
            if status != 200 {
                bail!("{what}: {path}: {status} {answer}");
            }
        }
        took.sort_unstable();
        all.push(took);
    }
    Ok(all)
}

/// Measures the binary on a folder that `store` filled.
pub async fn measure(binary: &str, folder: &Path) -> anyhow::Result<()> {
    let started = Instant::now();
    let server = Server::start(binary, folder, 1).await?;
    let start = started.elapsed();
    let idle = server.usage()?.1;
    let questions = questions(&server).await?;
    drop(server);
    // Cold: nothing of the folder is in the memory of the system, as far as that can be asked for.
    let cached = std::fs::write("/proc/sys/vm/drop_caches", "3").is_err();
    let server = Server::start(binary, folder, 1).await?;
    let cold = ask(&server, &questions, 1).await?;
    let mut shape = SHAPES[0];
    shape.events = 300 * RATE as usize;
    let ready = Ready::of(shape)?;
    let sending = send_all(&server.envelopes, &ready, Some(RATE));
    let warm = tokio::select! {
        warm = ask(&server, &questions, TIMES) => warm?,
        sent = sending => {
            sent?;
            bail!("five minutes were not enough to ask everything")
        }
    };
    println!("start                  {:.0} ms, with the first login", ms(start));
    println!(
        "memory                 {idle} MB after the start, {} MB at most",
        server.usage()?.2
    );
    println!(
        "disk                   {} MB (packs, index, ids)",
        server.disk() >> 20
    );
    if cached {
        println!("the caches of the system could not be dropped: cold is only the server's own");
    }
    println!("| question | cold ms | p50 ms | p95 ms, while {RATE:.0}/s come in |");
    println!("|---|---|---|---|");
    for (((what, _), cold), warm) in questions.iter().zip(&cold).zip(&warm) {
        println!(
            "| {what} | {:.0} | {:.1} | {:.1} |",
            ms(cold[0]),
            ms(percentile(warm, 50)),
            ms(percentile(warm, 95))
        );
    }
    Ok(())
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1000.0
}
