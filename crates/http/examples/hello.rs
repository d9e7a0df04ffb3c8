//! The smallest server: answers every request with one constant document. For measuring what a request costs.
//!
//! `PORT` (default 8101) on 127.0.0.1; Ctrl-C drains.

use std::net::SocketAddr;
use std::rc::Rc;

use plectrum_http::{
    Body, Bytes, Config, HeaderValue, Listener, Reply, Request, Response, header, serve, server::TcpOptions,
};
use tokio::runtime::{Builder, LocalOptions};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8101);
    let listener = Listener::tcp(SocketAddr::from(([127, 0, 0, 1], port)), TcpOptions::default())?;
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let report = runtime.block_on(async {
        let shutdown = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
        serve(vec![listener], Rc::new(Config::default()), Rc::new(hello), shutdown).await
    })?;
    println!("{report:?}");
    Ok(())
}

fn hello(_: Request) -> Reply {
    let mut response = Response::new(Body::Full(Bytes::from_static(br#"{"message":"Hello, World!"}"#)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Reply::Ready(response)
}
