//! The GraphQL endpoint: a request → root fields → statements → `{"data":…}`, without the binding.
//!
//! In the order of a request's journey:
//!
//! * [`description`]: what the binding says of a graph at start-up;
//! * [`request`]: what GET and POST carry; [`multipart`]: with files; [`media`]: which of the two media types is answered;
//! * [`persisted`]: documents known by their hash;
//! * [`prepare`]: document, operation, variables → root fields with their plans, kept by text and by shape;
//! * [`plans`]: the trait of whoever plans a shape, and a plan's arguments;
//! * [`resolve`]: fields that functions give, each function asked once for all rows of a root field;
//! * [`run`]: root fields executed together, written as one response;
//! * [`call`]: those that functions of the binding answer, with an [`answer`];
//! * [`live`]: subscriptions, over WebSockets and event streams;
//! * [`page`]: a page to try queries with.

mod answer;
mod call;
mod description;
mod endpoint;
mod live;
mod media;
mod multipart;
mod page;
mod persisted;
mod plans;
mod prepare;
mod request;
mod resolve;
mod run;

pub use answer::Answer;
pub use description::Description;
pub use endpoint::GraphQl;
pub use live::{Member, Watched};
pub use plans::{Argument, Kind, Origin, Plan, Planner, Refusal, Source, Viewer};
pub use resolve::Resolved;
