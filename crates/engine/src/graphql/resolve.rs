//! Fields that functions give: what they are asked for is marked in the text of a root field, and each function is called
//! once for all of it.

use futures_util::future::join_all;
use plectrum_graphql::partial::{Answers, places};
use plectrum_graphql::{Code, Error};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::plans::{Planner, Viewer};

/// What a function gave for one object, as the binding writes it.
#[derive(Debug, Deserialize)]
pub enum Resolved {
    /// The value.
    #[serde(rename = "v")]
    Value(Box<RawValue>),
    /// What the client did wrong.
    #[serde(rename = "m")]
    Refused(String),
    /// What we did; the reason is logged already.
    #[serde(rename = "f")]
    Fault(String),
}

/// One function and all it is asked for.
struct Asked<'t> {
    ty: String,
    field: String,
    places: Vec<&'t [u8]>,
    /// The places without type and field.
    parents: Vec<String>,
}

/// Calls the functions that a text asks for.
pub(super) async fn answers(planner: &dyn Planner, text: &[u8], viewer: &Viewer) -> Answers {
    let calls = grouped(places(text)).into_iter().map(|asked| async move {
        let parents = format!("[{}]", asked.parents.join(","));
        let given = planner.resolve(&asked.ty, &asked.field, parents, viewer).await;
        (asked.places, given)
    });
    let mut answers = Answers::default();
    for (places, given) in join_all(calls).await {
        let mut given = given.map_err(Error::from).map(Vec::into_iter);
        for place in places {
            let answer = match &mut given {
                Ok(given) => given.next().map_or_else(|| Err(fault("Internal server error.")), read),
                Err(error) => Err(error.clone()),
            };
            answers.insert(place.into(), answer);
        }
    }
    answers
}

fn grouped(places: Vec<&[u8]>) -> Vec<Asked<'_>> {
    let mut groups: Vec<Asked<'_>> = Vec::new();
    for place in places {
        let Ok(parts) = serde_json::from_slice::<Vec<Box<RawValue>>>(place) else { continue };
        let [ty, field, parent @ ..] = parts.as_slice() else { continue };
        let name = |part: &RawValue| part.get().trim_matches('"').to_owned();
        let (ty, field) = (name(ty), name(field));
        let values: Vec<&str> = parent.iter().map(|value| value.get()).collect();
        let parent = format!("[{}]", values.join(","));
        match groups.iter_mut().find(|group| group.ty == ty && group.field == field) {
            Some(group) => {
                group.places.push(place);
                group.parents.push(parent);
            }
            None => groups.push(Asked { ty, field, places: vec![place], parents: vec![parent] }),
        }
    }
    groups
}

fn read(resolved: Resolved) -> Result<Box<[u8]>, Error> {
    match resolved {
        Resolved::Value(json) => Ok(Box::<str>::from(json).into_boxed_bytes()),
        Resolved::Refused(why) => Err(Error::new(Code::BadUserInput, why)),
        Resolved::Fault(why) => Err(fault(&why)),
    }
}

fn fault(why: &str) -> Error {
    Error::new(Code::Internal, why)
}
