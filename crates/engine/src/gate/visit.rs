//! One request passing a gate. It goes on from stage to stage; where it has to wait, it does so outside of the stages, so
//! that the same code serves requests that never wait.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use plectrum_http::{BodyError, Bytes, HeaderName, Method, RequestBody, Response, media};

use super::authority::{Asking, Credential, Head, Principal, Question, Told};
use super::guard::{self, Known, Verdict};
use super::identity::Identity;
use super::jwt::{Checked, Jwt, Remote};
use super::refusal;
use super::scheme::{self, Scheme};
use super::spec;
use super::throttle::{self, Limits, Quota, Taken, Taking};
use super::{Gate, Pass, credentials};
use crate::endpoint::Call;
use crate::error;

/// One request at a gate.
pub(super) struct Visit {
    gate: Rc<Gate>,
    call: Box<Call>,
    stage: Stage,
    identity: Arc<Identity>,
    /// Why the first scheme that was tried said no.
    refused: Option<String>,
    known: Known,
    /// What the binding said to a guard's no.
    detail: Option<String>,
    quota: Option<Quota>,
    asked_for_keys: bool,
}

/// Where a visit is. Numbers are positions in the gate's lists.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Early(usize),
    Scheme(usize),
    Revocation(usize, usize),
    Guard,
    Late(usize),
    Open,
}

/// What comes of a stage.
enum Move {
    To(Stage),
    Wait(Errand),
    Refuse(Response),
}

/// What has to be waited for.
enum Errand {
    Keys(Rc<Remote>),
    Body,
    Answer(Pin<Box<dyn Future<Output = Told>>>, About),
    Count(Taking),
}

/// What the binding was asked about.
#[derive(Debug, Clone, Copy)]
enum About {
    Credential(usize),
    Revocation(usize),
    Guard(usize),
}

impl Visit {
    pub(super) fn new(gate: Rc<Gate>, call: Box<Call>) -> Self {
        Self {
            gate,
            call,
            stage: Stage::Early(0),
            identity: Arc::default(),
            refused: None,
            known: Known::new(),
            detail: None,
            quota: None,
            asked_for_keys: false,
        }
    }

    /// A visit whose first limits have been counted already.
    pub(super) fn counted_early(gate: Rc<Gate>, call: Box<Call>, quota: Option<Quota>) -> Self {
        Self { stage: Stage::Scheme(0), quota, ..Self::new(gate, call) }
    }

    pub(super) fn run(mut self) -> Pass {
        match self.advance() {
            Ok(None) => {
                let (call, quota) = self.leave();
                Pass::Open(call, quota)
            }
            Ok(Some(errand)) => Pass::Pending(Box::pin(self.wait(errand))),
            Err(response) => Pass::Refused(*response),
        }
    }

    fn leave(mut self) -> (Box<Call>, Option<Quota>) {
        self.call.body = Bytes::new();
        self.call.identity = Some(self.identity);
        (self.call, self.quota)
    }

    async fn wait(mut self, mut errand: Errand) -> Result<(Box<Call>, Option<Quota>), Response> {
        loop {
            if let Some(response) = self.do_errand(errand).await {
                return Err(response);
            }
            match self.advance() {
                Ok(None) => return Ok(self.leave()),
                Ok(Some(next)) => errand = next,
                Err(response) => return Err(*response),
            }
        }
    }

    /// Goes on as far as it can without waiting.
    fn advance(&mut self) -> Result<Option<Errand>, Box<Response>> {
        loop {
            let moved = match self.stage {
                Stage::Early(number) => self.count(number, false),
                Stage::Scheme(position) => self.authenticate(position),
                Stage::Revocation(position, callback) => self.ask_revocation(position, callback),
                Stage::Guard => self.guard(),
                Stage::Late(number) => self.count(number, true),
                Stage::Open => return Ok(None),
            };
            match moved {
                Move::To(stage) => self.stage = stage,
                Move::Wait(errand) => return Ok(Some(errand)),
                Move::Refuse(response) => return Err(Box::new(response)),
            }
        }
    }

    async fn do_errand(&mut self, errand: Errand) -> Option<Response> {
        let moved = match errand {
            Errand::Keys(remote) => {
                remote.refreshed().await;
                self.asked_for_keys = true;
                return (!remote.has_keys()).then(error::unavailable);
            }
            Errand::Body => match self.read_body().await {
                Ok(()) => return None,
                Err(failure) => return Some(error::of_body(failure)),
            },
            Errand::Answer(answer, about) => {
                let told = answer.await;
                self.learn(told, about)
            }
            Errand::Count(taking) => {
                let taken = taking.await;
                self.counted(taken)
            }
        };
        match moved {
            Move::To(stage) => {
                self.stage = stage;
                None
            }
            Move::Refuse(response) => Some(response),
            Move::Wait(_) => None,
        }
    }

    // Counting.

    fn limits(&self) -> &Limits {
        if matches!(self.stage, Stage::Late(_)) { &self.gate.late } else { &self.gate.early }
    }

    fn count(&mut self, number: usize, late: bool) -> Move {
        let Some(limit) = self.limits().get(number) else {
            return Move::To(if late { Stage::Open } else { Stage::Scheme(0) });
        };
        let key = throttle::key_of(limit, &self.call.request, Some(&self.identity));
        match self.gate.shared.counter.take(limit, key) {
            Ok(taken) => self.counted(taken),
            Err(taking) => Move::Wait(Errand::Count(taking)),
        }
    }

    fn counted(&mut self, taken: Taken) -> Move {
        let next = match self.stage {
            Stage::Early(number) => Stage::Early(number + 1),
            Stage::Late(number) => Stage::Late(number + 1),
            other => other,
        };
        match taken {
            Taken::Allowed(quota) => {
                self.quota = Quota::tighter(self.quota.take(), quota);
                Move::To(next)
            }
            Taken::Uncounted => Move::To(next),
            Taken::Exceeded(response) => Move::Refuse(response),
            Taken::Unavailable => Move::Refuse(error::unavailable()),
        }
    }

    // Authenticating.

    fn authenticate(&mut self, position: usize) -> Move {
        let gate = Rc::clone(&self.gate);
        let Some(number) = gate.schemes.get(position).copied() else { return self.authenticated() };
        let next = Move::To(Stage::Scheme(position + 1));
        let request = &self.call.request;
        match gate.shared.scheme(number) {
            Some(Scheme::Jwt(jwt)) => self.check_token(jwt, number, position),
            Some(Scheme::ApiKey(scheme)) => match (scheme.find(request), scheme.callback) {
                (None, _) => next,
                (Some(key), Some(callback)) => {
                    self.ask_credential(callback, Credential::Token(key), position)
                }
                (Some(key), None) => match scheme.check(number, &key) {
                    Some(identity) => self.found(Arc::new(identity)),
                    None => self.not_found("the API key is not known", position),
                },
            },
            Some(Scheme::Basic(asked)) => match credentials::authorization(&request.headers, "basic") {
                None => next,
                Some(text) => match credentials::basic(text) {
                    Some((user, password)) => {
                        self.ask_credential(asked.callback, Credential::Basic(user, password), position)
                    }
                    None => self.not_found("the credentials are malformed", position),
                },
            },
            Some(Scheme::Bearer(asked)) => match scheme::bearer_token(request).map(str::to_owned) {
                None => next,
                Some(token) => self.ask_credential(asked.callback, Credential::Token(token), position),
            },
            Some(Scheme::Session(session)) => self.check_session(session, position),
            None => next,
        }
    }

    fn check_token(&mut self, jwt: &Jwt, number: usize, position: usize) -> Move {
        let Some(token) = jwt.token(&self.call.request.headers) else {
            return Move::To(Stage::Scheme(position + 1));
        };
        match jwt.check(number, token) {
            Checked::Identity(identity) => match jwt.spec.revoked {
                Some(callback) => {
                    self.identity = identity;
                    Move::To(Stage::Revocation(position, callback))
                }
                None => self.found(identity),
            },
            Checked::NeedsKeys(remote) if !self.asked_for_keys => Move::Wait(Errand::Keys(remote)),
            Checked::NeedsKeys(_) => self.not_found("the token's key is not known", position),
            Checked::Refused(reason) => self.not_found(reason, position),
        }
    }

    fn check_session(&mut self, session: &spec::Session, position: usize) -> Move {
        let request = &self.call.request;
        if plectrum_http::cookie::get(&request.headers, &session.cookie).is_none() {
            return Move::To(Stage::Scheme(position + 1));
        }
        if self.call.body.is_empty() && has_token_in_body(request, &session.csrf_header) {
            return Move::Wait(Errand::Body);
        }
        let credential = Credential::Session(self.call.body.clone());
        self.ask_credential(session.callback, credential, position)
    }

    fn ask_credential(&mut self, callback: usize, credential: Credential, position: usize) -> Move {
        self.ask(callback, credential, About::Credential(position))
    }

    fn ask_revocation(&mut self, position: usize, callback: usize) -> Move {
        self.ask(callback, Credential::None, About::Revocation(position))
    }

    fn found(&mut self, identity: Arc<Identity>) -> Move {
        self.identity = identity;
        Move::To(Stage::Guard)
    }

    fn not_found(&mut self, reason: impl Into<String>, position: usize) -> Move {
        self.refused.get_or_insert(reason.into());
        Move::To(Stage::Scheme(position + 1))
    }

    /// No scheme vouches: credentials that were shown and are wrong never pass as none.
    fn authenticated(&mut self) -> Move {
        match self.refused.take() {
            Some(reason) => Move::Refuse(self.challenge(Some(&reason))),
            None => Move::To(Stage::Guard),
        }
    }

    fn challenge(&self, reason: Option<&str>) -> Response {
        let schemes = self.gate.schemes.iter().filter_map(|number| self.gate.shared.scheme(*number));
        refusal::unauthenticated(schemes, reason)
    }

    /// The body is where Django looks for a form's CSRF token; it is put back for the handler.
    async fn read_body(&mut self) -> Result<(), BodyError> {
        let body = std::mem::take(&mut self.call.request.body);
        let bytes = body.collect(self.gate.shared.max_body).await?;
        self.call.request.body = RequestBody::from(bytes.clone());
        // Never empty afterwards, so that it is not read for again; no form begins with a line break.
        self.call.body = if bytes.is_empty() { Bytes::from_static(b"\n") } else { bytes };
        Ok(())
    }

    // Guarding.

    fn guard(&mut self) -> Move {
        let gate = Rc::clone(&self.gate);
        let scheme = self.identity.scheme.and_then(|number| gate.shared.scheme(number));
        match guard::evaluate(&gate.guard, &self.identity, scheme, &self.known) {
            Verdict::Yes => Move::To(Stage::Late(0)),
            Verdict::Ask(callback) => self.ask(callback, Credential::None, About::Guard(callback)),
            Verdict::No if self.identity.is_authenticated() || gate.schemes.is_empty() => {
                Move::Refuse(refusal::forbidden(self.detail.as_deref()))
            }
            Verdict::No => Move::Refuse(self.challenge(None)),
        }
    }

    // Asking the binding.

    fn ask(&mut self, callback: usize, credential: Credential, about: About) -> Move {
        let head = Head::of(&self.call.request);
        let question = Question { head, identity: Arc::clone(&self.identity), credential };
        match self.gate.shared.authority.ask(callback, question) {
            Asking::Told(told) => self.learn(told, about),
            Asking::Later(answer) => Move::Wait(Errand::Answer(answer, about)),
        }
    }

    fn learn(&mut self, told: Told, about: About) -> Move {
        match (about, told) {
            (_, Told::Failed(response)) => Move::Refuse(*response),
            (About::Credential(position), Told::Yes(principal)) => self.vouched(principal, position),
            // A session that nobody has logged in to is like none.
            (About::Credential(position), Told::No(None)) if self.is_session(position) => {
                Move::To(Stage::Scheme(position + 1))
            }
            (About::Credential(position), Told::No(reason)) => {
                self.not_found(reason.unwrap_or_else(|| "the credentials are not valid".to_owned()), position)
            }
            (About::Revocation(_), Told::Yes(_)) => Move::To(Stage::Guard),
            (About::Revocation(position), Told::No(_)) => {
                self.identity = Arc::default();
                self.not_found("the token has been revoked", position)
            }
            (About::Guard(callback), Told::Yes(_)) => self.remember(callback, true, None),
            (About::Guard(callback), Told::No(detail)) => self.remember(callback, false, detail),
        }
    }

    fn is_session(&self, position: usize) -> bool {
        let scheme = self.gate.schemes.get(position).and_then(|number| self.gate.shared.scheme(*number));
        matches!(scheme, Some(Scheme::Session(_)))
    }

    fn vouched(&mut self, principal: Principal, position: usize) -> Move {
        let Some(number) = self.gate.schemes.get(position) else { return self.authenticated() };
        let identity = Identity::new(*number, principal.subject, principal.claims);
        if let Some(attached) = principal.attached {
            // The identity is new: nothing is attached to it yet.
            let _ = identity.attached.set(attached);
        }
        self.found(Arc::new(identity))
    }

    fn remember(&mut self, callback: usize, permitted: bool, detail: Option<String>) -> Move {
        self.known.push((callback, permitted));
        self.detail = detail.or(self.detail.take());
        Move::To(Stage::Guard)
    }
}

/// Whether Django would look for a CSRF token in the body: a form, without the header.
fn has_token_in_body(request: &plectrum_http::Request, csrf_header: &str) -> bool {
    let is_safe = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE].contains(&request.method);
    let header: Option<HeaderName> = csrf_header.parse().ok();
    !is_safe
        && !request.body.is_end()
        && header.is_some_and(|name| !request.headers.contains_key(name))
        && (media::is_form(&request.headers) || media::is(&request.headers, "multipart/form-data"))
}
