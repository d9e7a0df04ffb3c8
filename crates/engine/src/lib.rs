//! `App`: router + middleware + endpoints. No PyO3: the whole engine runs under `cargo test` with closures.
//!
//! In the order a request meets them:
//!
//! * [`app`]: routes a request, by its version (`versions`) where there are some; `reading` reads its body where the endpoint wants one;
//! * [`gate`]: who may pass, and how often: throttles, authentication, guards;
//! * [`budget`]: how many are answered at once;
//! * [`endpoint`]: the trait of whoever answers; [`native`] does it with a plan (one of its [`variants`]), the binding
//!   with Python; [`graphql`] with the plans of a document;
//! * [`cache`]: answers that are kept, and requests that may be sent again;
//! * [`extract`]: arguments from path, query, headers, cookies and body;
//! * [`statics`]: files below directories;
//! * [`database`]: which engine an operation runs on; `redis_client` asks a Redis;
//! * [`error`]: the one table from what went wrong to status and body; [`shape`]: bodies as other frameworks write them.
//!
//! * [`observe`]: what is counted, logged and traced of all that;
//! * [`feed`]: a table's changes as events;
//! * [`channels`]: groups of WebSockets, over workers and hosts.
//!
//! [`blueprint`] is what the binding hands over at start-up; [`openapi`] describes it.

pub mod app;
pub mod blueprint;
pub mod budget;
pub mod cache;
pub mod channels;
pub mod database;
mod docs;
pub mod endpoint;
pub mod error;
pub mod extract;
pub mod feed;
pub mod gate;
pub mod graphql;
mod memory;
pub mod native;
pub mod observe;
pub mod openapi;
mod outbound;
mod reading;
mod redis_client;
mod seldom;
pub mod shape;
pub mod statics;
mod values;
pub mod variants;
mod versions;
