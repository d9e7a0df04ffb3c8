//! The GraphQL endpoint: a request → root fields → statements → `{"data":…}`, without the binding.
//!
//! In the order of a request's journey:
//!
//! * [`description`]: what the binding says of a graph at start-up;
//! * [`request`]: what GET and POST carry; [`media`]: which of the two media types is answered;
//! * [`persisted`]: documents known by their hash;
//! * [`prepare`]: document, operation, variables → root fields with their plans, kept by text and by shape;
//! * [`plans`]: the trait of whoever plans a shape, and a plan's arguments;
//! * [`run`]: root fields executed together, written as one response; [`mutate`]: one after the other;
//! * [`page`]: a page to try queries with.

mod description;
mod endpoint;
mod media;
mod mutate;
mod page;
mod persisted;
mod plans;
mod prepare;
mod request;
mod run;

pub use description::Description;
pub use endpoint::GraphQl;
pub use plans::{Argument, Origin, Plan, Planner, Refusal, Viewer, Written};
