//! From a route that was found to its endpoint: budgets, then the gate.

use std::rc::Rc;

use plectrum_http::Reply;

use super::Place;
use crate::budget;
use crate::endpoint::{Call, settled};
use crate::gate::{Pass, throttle};
use crate::reading;

/// Lets a call into its route's budgets, where there are some.
pub(super) fn enter(place: &Rc<Place>, call: Box<Call>) -> Reply {
    match &place.budgets {
        None => admit(place, call),
        Some(budgets) => {
            let place = Rc::clone(place);
            budget::within(budgets, move || admit(&place, call))
        }
    }
}

/// Lets a call pass its route's gate, then answers it.
fn admit(place: &Place, mut call: Box<Call>) -> Reply {
    let Some(gate) = &place.gate else { return reading::answer(&place.endpoint, call, &place.allowance) };
    if place.endpoint.introduces(&call) {
        call.gate = Some(Rc::clone(gate));
        return place.endpoint.call(call);
    }
    match gate.pass(call) {
        Pass::Refused(response) => response.into(),
        Pass::Open(call, quota) => shown(reading::answer(&place.endpoint, call, &place.allowance), quota),
        Pass::Pending(visit) => {
            let (endpoint, allowance) = (Rc::clone(&place.endpoint), place.allowance.clone());
            Reply::pending(async move {
                match visit.await {
                    Ok((call, quota)) => {
                        settled(shown(reading::answer(&endpoint, call, &allowance), quota)).await
                    }
                    Err(response) => response,
                }
            })
        }
    }
}

/// The reply with what is left of a limit, where there is one.
fn shown(reply: Reply, quota: Option<throttle::Quota>) -> Reply {
    match (quota, reply) {
        (None, reply) => reply,
        (Some(quota), Reply::Ready(mut response)) => {
            quota.show(&mut response);
            response.into()
        }
        (Some(quota), Reply::Pending(pending)) => Reply::pending(async move {
            let mut response = pending.await;
            quota.show(&mut response);
            response
        }),
    }
}
