//! Links to the next and the previous page, as DRF's paginators make them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::cursor::{Direction, Signer};
use crate::error::Error;
use crate::execute::Context;
use crate::plan::{CursorPage, Page, PageStyle};
use crate::rows::Edges;
use crate::value::Value;

/// What Python's `quote_plus` escapes; a space becomes `+`.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b' ');

/// One request's place in a paginated list.
#[derive(Debug)]
pub(crate) struct Pager {
    url: String,
    style: PageStyle,
    number_param: String,
    size_param: String,
    /// Page number, or offset.
    number: i64,
    size: i64,
    /// Rows in all, once counted.
    count: i64,
    /// Whether the page has rows, and whether there are more behind it; instead of the count.
    probed: Option<(bool, bool)>,
}

impl Pager {
    pub(crate) fn new(page: &Page, args: &[Value], url: &str) -> Result<Self, Error> {
        let number_param = page.number_param.as_deref().unwrap_or(match page.style {
            PageStyle::PageNumber => "page",
            PageStyle::LimitOffset => "offset",
        });
        Ok(Self {
            url: url.to_owned(),
            style: page.style,
            number_param: number_param.to_owned(),
            size_param: page.size_param.as_deref().unwrap_or("limit").to_owned(),
            number: integer(args, page.number)?,
            size: page.size.read(args)?,
            count: 0,
            probed: None,
        })
    }

    /// Takes note of what the rows themselves tell.
    pub(crate) fn probed(&mut self, any: bool, more: bool) {
        self.probed = Some((any, more));
    }

    /// Reads the count from its JSON.
    pub(crate) fn read_count(&mut self, json: &[u8]) {
        self.count = std::str::from_utf8(json).ok().and_then(|json| json.parse().ok()).unwrap_or(0);
    }

    /// Whether the list has such a page; an empty list has a first one. Any offset is a page.
    pub(crate) fn exists(&self) -> bool {
        match self.style {
            PageStyle::PageNumber if self.probed.is_some() => {
                self.number == 1 || self.probed.is_some_and(|(any, _)| any)
            }
            PageStyle::PageNumber => self.number == 1 || (1..=self.pages()).contains(&self.number),
            PageStyle::LimitOffset => true,
        }
    }

    fn pages(&self) -> i64 {
        let size = self.size.max(1);
        self.count / size + i64::from(self.count % size != 0)
    }

    /// Appends `,"next":…,"previous":…`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        write_links(self.next(), self.previous(), out);
    }

    fn next(&self) -> Option<String> {
        if let Some((_, more)) = self.probed {
            let next = match self.style {
                PageStyle::PageNumber => self.number.saturating_add(1),
                PageStyle::LimitOffset => self.number.saturating_add(self.size),
            };
            return more.then(|| self.link(Some(next)));
        }
        match self.style {
            PageStyle::PageNumber => (self.number < self.pages()).then(|| self.link(Some(self.number + 1))),
            PageStyle::LimitOffset => {
                let next = self.number.saturating_add(self.size);
                (next < self.count).then(|| self.link(Some(next)))
            }
        }
    }

    fn previous(&self) -> Option<String> {
        match self.style {
            PageStyle::PageNumber => {
                (self.number > 1).then(|| self.link(Some(self.number - 1).filter(|&page| page > 1)))
            }
            PageStyle::LimitOffset => {
                let previous = self.number.saturating_sub(self.size);
                (self.number > 0).then(|| self.link(Some(previous).filter(|&offset| offset > 0)))
            }
        }
    }

    /// The request's address with another number, or without one.
    fn link(&self, number: Option<i64>) -> String {
        let mut changes = vec![(self.number_param.as_str(), number.map(|number| number.to_string()))];
        if self.style == PageStyle::LimitOffset {
            changes.push((&self.size_param, Some(self.size.to_string())));
        }
        address(&self.url, changes)
    }
}

/// One request's place in a list with cursors.
#[derive(Debug)]
pub(crate) struct Cursors {
    url: String,
    page: CursorPage,
    signer: Option<Arc<Signer>>,
}

impl Cursors {
    pub(crate) fn new(page: &CursorPage, context: &Context) -> Self {
        Self { url: context.url.clone(), page: page.clone(), signer: context.signer.clone() }
    }

    /// Appends `,"next":…,"previous":…`.
    pub(crate) fn write(&self, edges: &Edges, out: &mut Vec<u8>) {
        // Where the request's cursor came from there are rows, or have been.
        let (next, previous) = match self.page.from {
            None => (edges.more, false),
            Some(Direction::Next) => (edges.more, true),
            Some(Direction::Previous) => (true, edges.more),
        };
        let next = next.then(|| self.link(Direction::Next, &edges.last)).flatten();
        let previous = previous.then(|| self.link(Direction::Previous, &edges.first)).flatten();
        write_links(next, previous, out);
    }

    /// The address of the rows after or before those with `values`; none without a row.
    fn link(&self, direction: Direction, values: &[u8]) -> Option<String> {
        let signer = self.signer.as_ref().filter(|_| !values.is_empty())?;
        let cursor = signer.sign(&self.page.scope, direction, values);
        Some(address(&self.url, vec![(&self.page.param, Some(cursor))]))
    }
}

fn write_links(next: Option<String>, previous: Option<String>, out: &mut Vec<u8>) {
    for (name, link) in [("next", next), ("previous", previous)] {
        out.push(b',');
        out.extend_from_slice(&plectrum_json::text::key(name));
        match link {
            Some(link) => plectrum_json::text::write(out, &link),
            None => plectrum_json::write_null(out),
        }
    }
}

/// A request's address with parameters changed, or without them. They are sorted, as DRF sorts them.
fn address(url: &str, changes: Vec<(&str, Option<String>)>) -> String {
    let (url, _fragment) = url.split_once('#').unwrap_or((url, ""));
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut params = parse(query);
    for (name, value) in changes {
        match value {
            Some(value) => params.insert(name.to_owned(), vec![value]),
            None => params.remove(name),
        };
    }
    let mut address = path.to_owned();
    let pairs = params.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    for (index, (name, value)) in pairs.enumerate() {
        let separator = if index == 0 { '?' } else { '&' };
        // Writing to a string does not fail.
        let _ = write!(address, "{separator}{}={}", quote(name), quote(value));
    }
    address
}

fn integer(args: &[Value], index: usize) -> Result<i64, Error> {
    match args.get(index) {
        Some(Value::Int(value)) => Ok(*value),
        found => Err(Error::Bind(index, format!("a page needs an integer, not {found:?}"))),
    }
}

/// Python's `parse_qs(query, keep_blank_values=True)`.
fn parse(query: &str) -> BTreeMap<String, Vec<String>> {
    let mut params: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        params.entry(unquote(name)).or_default().push(unquote(value));
    }
    params
}

fn unquote(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn quote(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string().replace(' ', "+")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::plan::PageSize;

    fn pager(style: PageStyle, number: i64, count: i64, url: &str) -> Pager {
        let page = Page {
            count: Some(0),
            probe: false,
            results: 1,
            number: 0,
            size: PageSize::Const(20),
            style,
            number_param: None,
            size_param: None,
        };
        let mut pager = Pager::new(&page, &[Value::Int(number)], url).unwrap();
        pager.read_count(count.to_string().as_bytes());
        pager
    }

    fn links(style: PageStyle, number: i64, count: i64, url: &str) -> String {
        let mut out = Vec::new();
        pager(style, number, count, url).write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn page_numbers_link_to_their_neighbours() {
        let url = "http://h/a/?page=2&b=x%20y&a=1";
        assert_eq!(
            links(PageStyle::PageNumber, 2, 41, url),
            r#","next":"http://h/a/?a=1&b=x+y&page=3","previous":"http://h/a/?a=1&b=x+y""#
        );
        assert_eq!(
            links(PageStyle::PageNumber, 3, 41, url),
            r#","next":null,"previous":"http://h/a/?a=1&b=x+y&page=2""#
        );
        assert_eq!(links(PageStyle::PageNumber, 1, 20, "http://h/a/"), r#","next":null,"previous":null"#);
    }

    #[test]
    fn offsets_link_with_their_limit() {
        assert_eq!(
            links(PageStyle::LimitOffset, 20, 41, "http://h/a/"),
            r#","next":"http://h/a/?limit=20&offset=40","previous":"http://h/a/?limit=20""#
        );
        assert_eq!(
            links(PageStyle::LimitOffset, 30, 50, "http://h/a/?q=%C3%A9&q="),
            r#","next":null,"previous":"http://h/a/?limit=20&offset=10&q=%C3%A9&q=""#
        );
    }

    #[test]
    fn pages_past_the_end_do_not_exist() {
        let exists = |number, count| pager(PageStyle::PageNumber, number, count, "").exists();
        assert!(exists(1, 0) && exists(3, 41) && exists(2, 40));
        assert!(!exists(3, 40) && !exists(0, 40) && !exists(-1, 40) && !exists(2, 0));
    }

    #[test]
    fn a_probed_page_is_told_by_its_rows() {
        let mut found = pager(PageStyle::PageNumber, 2, 0, "http://h/a/");
        found.probed(true, true);
        assert_eq!(found.next().as_deref(), Some("http://h/a/?page=3"));
        found.probed(true, false);
        assert!(found.exists() && found.next().is_none());
        found.probed(false, false);
        assert!(!found.exists());
        let mut found = pager(PageStyle::LimitOffset, 40, 0, "http://h/a/");
        found.probed(true, true);
        assert_eq!(found.next().as_deref(), Some("http://h/a/?limit=20&offset=60"));
    }

    #[test]
    fn a_number_that_is_none_is_refused() {
        let page = Page {
            count: Some(0),
            probe: false,
            results: 1,
            number: 0,
            size: PageSize::Arg(1),
            style: PageStyle::PageNumber,
            number_param: None,
            size_param: None,
        };
        let error = Pager::new(&page, &[Value::Null, Value::Int(1)], "").unwrap_err();
        assert_eq!(error.to_string(), "argument 0 cannot be bound: a page needs an integer, not Some(Null)");
    }
}
