//! `vedette serve`: opens the stores, starts the worker and the jobs, and answers HTTP until it is told to stop.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use axum::Router;
use axum::extract::Request;
use backends::cache::Folder;
use backends::egress::http::Http;
use backends::egress::smtp::Smtp;
use backends::open::{StorageConfig, lock_folder, open};
use pipeline::directory::Directory;
use pipeline::ingest::{Ingest, quota::Quota};
use pipeline::symbols::Symbols;
use pipeline::worker::{Progress, Worker};
use protocol::time::{Clock, SystemClock};
use serde_json::Value;
use storage::mail::Mailer;
use storage::mail::links::Links;
use storage::queue::Track;
use storage::stores::{Catalog, Stores};
use tower::Layer as _;

use crate::admin::Admin;
use crate::config::Config;
use crate::listener::{self, Bounded, Peer, tell_peer};
use crate::reader::Processes;
use crate::watch::{self, Watch};
use crate::{first_run, socket};

/// Memory for request bodies beyond the first MiB of each, all together, bytes.
const LARGE_BODIES: usize = 256 << 20;

/// Request bodies that are decompressed at the same time.
const DECODERS: usize = 8;

/// The tables that the stores keep.
pub fn catalog() -> Catalog {
    Catalog {
        errors: &processing::ERRORS,
    }
}

/// Opens the stores of a configuration.
///
/// # Errors
/// As the stores say.
pub fn stores(config: &Config) -> anyhow::Result<Stores> {
    Ok(open(&storage(config), catalog(), Arc::new(SystemClock))?)
}

fn storage(config: &Config) -> StorageConfig {
    StorageConfig {
        data_dir: config.data_dir.clone(),
        database_url: config.database_url.clone(),
        queue_limit: config.queue_limit,
    }
}

/// Restores a backup into the folder of the settings, which is empty.
///
/// # Errors
/// As [`backends::backup::restore`].
pub fn restore(config: &Config, file: &Path) -> anyhow::Result<Value> {
    let counts = backends::backup::restore(file, &storage(config), catalog(), Arc::new(SystemClock))?;
    Ok(counts.to_json())
}

/// The mail server of the settings, if one is named.
///
/// # Errors
/// If its settings do not fit.
pub fn mailer(config: &Config) -> anyhow::Result<Option<Arc<dyn Mailer>>> {
    let Some(mail) = &config.mail else {
        return Ok(None);
    };
    Ok(Some(Arc::new(Smtp::new(mail.clone())?)))
}

/// The public address for a port.
pub fn url_for(config: &Config, listen: SocketAddr) -> String {
    config.url.clone().unwrap_or_else(|| {
        let ip = listen.ip();
        if ip.is_loopback() || ip.is_unspecified() {
            format!("http://localhost:{}", listen.port())
        } else {
            format!("http://{listen}")
        }
    })
}

/// Takes the path prefix of the public address away, so that the server answers with and without it.
fn strip_prefix(prefix: &str, mut request: Request) -> Request {
    let path = request.uri().path();
    let rest = path
        .strip_prefix(prefix)
        .filter(|r| r.is_empty() || r.starts_with('/'))
        .map(str::to_owned);
    if let Some(rest) = rest {
        let path = if rest.is_empty() { "/".to_owned() } else { rest };
        let target = match request.uri().query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        if let Ok(uri) = target.parse() {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// Runs the server.
///
/// # Errors
/// If it cannot start; once it runs it ends well.
pub fn run(config: &Config) -> anyhow::Result<()> {
    let started = SystemClock.now();
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let connections = listener::connections();
    let scrape = watch::metrics::start()?;
    let lock = lock_folder(&config.data_dir)?;
    let stores = stores(config)?;
    let secret = first_run::secret_key(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(64)
        .thread_name("http")
        .build()?;
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind(config.listen))
        .with_context(|| {
            format!(
                "cannot listen on {}; another process may have the port",
                config.listen
            )
        })?;
    let listen = listener.local_addr()?;
    let url: Arc<str> = url_for(config, listen).into();

    let secret: Arc<str> = secret.into();
    let seal = api::Seal::new(&secret).map_err(anyhow::Error::msg)?;
    let links = Links::new(url.clone(), secret.clone());
    let mailer = mailer(config)?;

    let opens = {
        let seal = seal.clone();
        Arc::new(move |purpose: &str, sealed: &str| String::from_utf8(seal.open(purpose, sealed)?).ok())
    };
    let directory = Arc::new(Directory::open(stores.sql.clone(), config.retention, opens)?);
    let quota = Arc::new(Quota::default());
    let progress = Arc::new(Progress::default());
    let stop = Arc::new(AtomicBool::new(false));
    let changed: Arc<dyn Fn() + Send + Sync> = {
        let directory = directory.clone();
        Arc::new(move || {
            if let Err(e) = directory.reload() {
                tracing::error!(error = %e, "keys and projects could not be read again");
            }
        })
    };
    let forwarding = Arc::new(api::Forwarding::default());
    let watch = Arc::new(Watch::new(
        config,
        &stores,
        progress.clone(),
        forwarding.clone(),
        started,
    ));
    let admin = Admin {
        stores: stores.clone(),
        secret,
        data_dir: config.data_dir.clone(),
        url: url.clone(),
        changed: changed.clone(),
        watch: Some(watch.clone()),
    };
    let first = first_run::prepare(config, &stores, &admin)?;
    socket::listen(&config.data_dir, admin)?;

    let outgoing = outgoing(config)?;
    let processes = Arc::new(Processes::new(config.symbol_memory));
    let symbols = Arc::new(Symbols::new(
        stores.clone(),
        directory.clone(),
        Arc::new(Folder::open(
            &config.data_dir.join("cache"),
            config.symbol_cache,
            stores.clock.clone(),
        )?),
        processes.clone(),
        outgoing.clone(),
    ));
    let geo = Arc::new(processing::Database::countries());
    let mut workers = Vec::new();
    for (track, name) in [(Track::Quick, "worker"), (Track::Symbols, "symbols")] {
        let worker = Worker {
            track,
            symbols: symbols.clone(),
            stores: stores.clone(),
            directory: directory.clone(),
            quota: quota.clone(),
            geo: geo.clone(),
            pool: pipeline::worker::pool(track, config.worker_threads)?,
            progress: progress.clone(),
            stop: stop.clone(),
        };
        let thread = std::thread::Builder::new().name(name.into());
        workers.push(thread.spawn(move || worker.run())?);
    }
    let jobs = {
        let folder = config.data_dir.clone();
        let jobs = pipeline::jobs::Jobs {
            stores: stores.clone(),
            retention: config.retention,
            artifact_retention: config.artifact_retention,
            keep_free: watch.keep_free(),
            space: Arc::new(move || watch::space(&folder)),
        };
        let stop = stop.clone();
        std::thread::Builder::new()
            .name("jobs".into())
            .spawn(move || pipeline::jobs::run(&jobs, &stop))?
    };
    {
        let again = pipeline::again::Again {
            stores: stores.clone(),
            directory: directory.clone(),
            symbols: symbols.clone(),
            stop: stop.clone(),
        };
        let thread = std::thread::Builder::new().name("again".into());
        workers.push(thread.spawn(move || again.run())?);
    }
    let mails = {
        let mails = pipeline::mails::Mails {
            stores: stores.clone(),
            mailer,
            links: links.clone(),
        };
        let stop = stop.clone();
        std::thread::Builder::new()
            .name("mail".into())
            .spawn(move || pipeline::mails::run(&mails, &stop))?
    };
    watch.look();
    {
        let watch = watch.clone();
        std::thread::Builder::new()
            .name("watch".into())
            .spawn(move || watch.run())?;
    }

    let app = routes(
        config, &stores, &url, links, directory, quota, changed, &watch, forwarding, scrape, seal, outgoing,
        processes,
    )?;
    println!("{}", first_run::greeting(&url, first.as_ref()));
    runtime.block_on(async {
        tracing::info!(%listen, url = &*url, connections, "listening");
        let peers = tower::util::MapRequestLayer::new(tell_peer);
        let app = Router::new().fallback_service(peers.layer(app));
        let service = app.into_make_service_with_connect_info::<Peer>();
        axum::serve(Bounded::new(listener, connections), service)
            .with_graceful_shutdown(told_to_stop())
            .await
    })?;
    tracing::info!("stopping: what is accepted is kept, what waits is processed at the next start");
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        let _ = worker.join();
    }
    let _ = jobs.join();
    let _ = mails.join();
    stores.queue.close();
    if let Err(e) = stores.columns.flush() {
        tracing::warn!(error = %e, "the index could not be written; it is read from the packs at the next start");
    }
    if let Err(e) = stores.ids.flush() {
        tracing::warn!(error = %e, "the event ids could not be written; they are read from the packs at the next start");
    }
    let _ = std::fs::remove_file(socket::path(&config.data_dir));
    drop(lock);
    Ok(())
}

/// The one client that asks addresses that people name.
fn outgoing(config: &Config) -> anyhow::Result<Arc<Http>> {
    let networks = config.outgoing.clone();
    let allowed = Arc::new(move |address| networks.iter().any(|n| n.contains(address)));
    Ok(Arc::new(Http::new(config.ca_file.as_deref(), allowed)?))
}

async fn told_to_stop() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(e) => {
            tracing::error!(error = %e, "SIGTERM cannot be waited for");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the one place where everything comes together"
)]
fn routes(
    config: &Config,
    stores: &Stores,
    url: &Arc<str>,
    links: Links,
    directory: Arc<Directory>,
    quota: Arc<Quota>,
    changed: Arc<dyn Fn() + Send + Sync>,
    watch: &Arc<Watch>,
    forwarding: Arc<api::Forwarding>,
    scrape: metrics_exporter_prometheus::PrometheusHandle,
    seal: api::Seal,
    outgoing: Arc<Http>,
    processes: Arc<Processes>,
) -> anyhow::Result<Router> {
    let networks = config.trusted.clone();
    let trusted: Arc<dyn Fn(IpAddr) -> bool + Send + Sync> =
        Arc::new(move |address| networks.iter().any(|n| n.contains(address)));
    let projects = directory.clone();
    let reads_frames: Arc<dyn Fn(i64) -> bool + Send + Sync> = Arc::new(move |project| {
        let entry = u64::try_from(project).ok().and_then(|id| projects.project(id));
        entry.is_some_and(|entry| entry.symbols.any())
    });
    let ingest = Ingest {
        directory,
        queue: stores.queue.clone(),
        quota,
        clock: stores.clock.clone(),
        trusted: trusted.clone(),
        slots: Arc::new(pipeline::ingest::crowd::Crowd::new(
            config.max_concurrent_requests,
        )),
        bodies: Arc::new(pipeline::ingest::body::Bodies::new(LARGE_BODIES)),
        decoders: Arc::new(tokio::sync::Semaphore::new(DECODERS)),
        told: Arc::default(),
        unwell: {
            let watch = watch.clone();
            Arc::new(move || watch.unwell())
        },
    };
    let uploads = pipeline::uploads::Uploads::open(
        stores.clone(),
        pipeline::uploads::Settings {
            folder: config.data_dir.join("uploads"),
            limit: config.artifact_limit,
            unwell: {
                let watch = watch.clone();
                Arc::new(move || watch.unwell())
            },
            convert: processes,
            changed: changed.clone(),
        },
    )?;
    let hooks = api::Hooks {
        outgoing,
        uploads: Arc::new(uploads),
        changed,
        check_settings: pipeline::directory::check,
        whereabouts: {
            let stores = stores.clone();
            Arc::new(move |id| pipeline::whereabouts::find(&stores, id).map_err(|e| e.to_string()))
        },
        script_names: pipeline::symbols::names,
        symbol_servers: pipeline::symbols::settings::public_names,
        check_source: pipeline::symbols::source::check_source,
        grouping: processing::grouping_info,
        features: processing::features,
        rank: processing::rank,
        reads_frames,
        compare: processing::compare,
        regroup: pipeline::directory::regroup,
        status: {
            let watch = watch.clone();
            Arc::new(move || watch.brief())
        },
        overview: {
            let watch = watch.clone();
            Arc::new(move || watch.overview().map_err(|e| e.to_string()))
        },
        retry: {
            let stores = stores.clone();
            Arc::new(move |id| pipeline::aside::retry(&stores, id).map_err(|e| e.to_string()))
        },
        scrape: Arc::new(move || {
            scrape.run_upkeep();
            scrape.render()
        }),
    };
    let api = api::Api {
        stores: stores.clone(),
        hooks,
        url: url.clone(),
        links,
        seal,
        sends_mail: config.mail.is_some(),
        retention: config.retention,
        trusted,
        forwarding,
        attempts: Arc::default(),
        rates: Arc::new(api::Rates::new(config.api_rate)),
        providers: Arc::default(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let inner = pipeline::ingest::router(ingest).merge(api::router(api));
    let prefix = url
        .split_once("://")
        .and_then(|(_, r)| r.split_once('/'))
        .map(|(_, p)| format!("/{p}"));
    Ok(match prefix {
        None => inner,
        Some(prefix) => {
            // The prefix goes before routing, so the router is wrapped as a whole.
            let layer = tower::util::MapRequestLayer::new(move |request| strip_prefix(&prefix, request));
            Router::new().fallback_service(layer.layer(inner))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_taken_away_where_it_stands() {
        let path = |uri: &str| {
            let request = Request::builder()
                .uri(uri)
                .body(axum::body::Body::empty())
                .unwrap();
            strip_prefix("/errors", request).uri().to_string()
        };
        assert_eq!(path("/errors/api/1/store/?a=b"), "/api/1/store/?a=b");
        assert_eq!(path("/errors"), "/");
        assert_eq!(path("/api/1/store/"), "/api/1/store/");
        assert_eq!(path("/errorsx"), "/errorsx");
    }
}
