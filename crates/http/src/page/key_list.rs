//! The pages of API keys: their list, and the form for a new one, whose answer shows the key once.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{Days, NaiveDate};
use http::StatusCode;
use http::request::Parts;

use super::error_page::ErrorPage;
use super::form::{Form, MadeFor};
use super::tenant_request::{TenantRequest, kept, sent};
use super::view::{key_list, new_key};
use super::webhook_form::UNAVAILABLE;
use super::{Pages, SettingsStore, once};
use loanhook_core::model::grant::GrantMaker;
use loanhook_core::model::id::KeyId;
use loanhook_core::model::key::{Key, Scope};
use loanhook_core::model::key_input::KeyInput;
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::validation::ValidationErrors;
use loanhook_core::paging::cut_to_page;
use loanhook_core::ports::{Keys, ListedKey, StoreResult};
use loanhook_core::{keys, log};

/// The parameter with the key after which a page begins.
pub(super) const AFTER: &str = "after";
/// The fields of the form for a new key.
pub(super) const NAME: &str = "name";
pub(super) const SCOPE: &str = "scope";
pub(super) const LAST_DAY: &str = "lastDay";
/// How many keys a page has.
const KEYS_PER_PAGE: usize = 50;

/// All that the list shows.
pub(super) struct KeyList {
    pub(super) keys: Vec<ListedKey>,
    /// The key after which the next page begins.
    pub(super) next: Option<KeyId>,
    pub(super) is_first: bool,
    /// The key that the viewer signed in with.
    pub(super) own: Option<KeyId>,
    pub(super) now: Timestamp,
}

/// What the form for a new key has in its fields, and what is wrong with it.
pub(super) struct NewKeyForm {
    /// The ID that the key is made with.
    pub(super) id: KeyId,
    pub(super) name: String,
    pub(super) scopes: Vec<Scope>,
    /// A day in UTC, `2026-11-23`; empty for a key that does not end by itself.
    pub(super) last_day: String,
    pub(super) errors: ValidationErrors,
    /// Why it was not kept, where nothing is wrong with it.
    pub(super) notice: Option<String>,
}

impl NewKeyForm {
    const fn empty(id: KeyId) -> Self {
        let errors = ValidationErrors(Vec::new());
        Self { id, name: String::new(), scopes: Vec::new(), last_day: String::new(), errors, notice: None }
    }
}

pub(super) async fn show<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    require(&request)?;
    // A key that there cannot be is none.
    let after: Option<KeyId> = Form::of_query(parts.uri.query()).get(AFTER).parse().ok();
    let mut keys = pages.store.keys(&request.grant.tenant, after, KEYS_PER_PAGE + 1).await?;
    let next = cut_to_page(&mut keys, KEYS_PER_PAGE).map(|last| last.key.id);
    let own = own_key(&pages.store, &request).await?;
    let list = KeyList { keys, next, is_first: after.is_none(), own, now: Timestamp::now() };
    Ok(key_list::page(&list, &request))
}

/// Shows the form for a new key.
pub(super) async fn ask(request: TenantRequest) -> Result<Response, ErrorPage> {
    require(&request)?;
    Ok(new_key::form(&NewKeyForm::empty(KeyId::at(Timestamp::now())), &request))
}

/// Makes a key, and shows it once.
pub(super) async fn create<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: Result<TenantRequest, ErrorPage>,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let request = sent(request)?;
    require(&request)?;
    let (form, made_for) = request.typed_form(body, &parts.headers).await?;
    let now = Timestamp::now();
    let named: Option<KeyId> = match made_for {
        MadeFor::Viewer => Some(once::id(&form, &request.grant)?),
        MadeFor::EarlierSession | MadeFor::Another => once::unsigned_id(&form),
    };
    let scopes: Vec<Scope> = form.all(SCOPE).filter_map(|name| name.parse().ok()).collect();
    if !request.grant.may_manage(&scopes) {
        return Err(ErrorPage::MayNotManageOperatorKeys);
    }
    let (name, last_day) = (form.get(NAME).trim().to_owned(), form.get(LAST_DAY).trim().to_owned());
    let expires_at = Some(&last_day).filter(|day| !day.is_empty()).map(|day| end_of(day));
    let tenant = &request.grant.tenant;
    let input = KeyInput { name: name.clone(), scopes: scopes.clone(), expires_at };
    let checked = input.check(now).map(|new| new.of(tenant.clone(), now));
    let shown = NewKeyForm { name, scopes, last_day, ..NewKeyForm::empty(KeyId::at(now)) };
    if let Some(id) = named
        && let Some(before) =
            pages.store.listed_key(tenant, id).await.map_err(|failure| kept(failure.into()))?
    {
        if checked.is_ok_and(|key| is_same(&key, &before)) {
            return Err(made_before());
        }
        let why = format!(
            "This form made the key \u{201c}{}\u{201d} before, which was shown then. Make a further one of this, or cancel",
            before.name
        );
        return Ok(again(StatusCode::CONFLICT, why, (shown, &request)));
    }
    let Some(id) = named.filter(|_| made_for == MadeFor::Viewer) else {
        return Ok(again(StatusCode::FORBIDDEN, made_for.why(&request.grant), (shown, &request)));
    };
    let shown = NewKeyForm { id, ..shown };
    let key = match checked {
        Ok(key) => Key { id, ..key },
        Err(errors) => {
            let form = new_key::form(&NewKeyForm { errors, ..shown }, &request);
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, form).into_response());
        }
    };
    let (key, secret) = match keys::create(&pages.store, key).await {
        Ok(made) => made,
        // Two sendings of one form at the same time: one of them made it.
        Err(_) if matches!(pages.store.listed_key(tenant, id).await, Ok(Some(_))) => {
            return Err(made_before());
        }
        Err(failure) => match ErrorPage::from(failure) {
            ErrorPage::Unavailable => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                return Ok(again(status, UNAVAILABLE.to_owned(), (shown, &request)));
            }
            refused => return Err(refused),
        },
    };
    log::change_on_page("key.created", &request.grant, &key.id);
    Ok((StatusCode::CREATED, new_key::made(&key, &secret, &request)).into_response())
}

/// The form again, with why it made no key.
fn again(status: StatusCode, why: String, (shown, request): (NewKeyForm, &TenantRequest)) -> Response {
    (status, new_key::form(&NewKeyForm { notice: Some(why), ..shown }, request)).into_response()
}

/// Whether two keys may do the same for as long.
fn is_same(one: &Key, other: &Key) -> bool {
    (&one.name, &one.scopes, one.expires_at) == (&other.name, &other.scopes, other.expires_at)
}

/// That the form was sent before.
fn made_before() -> ErrorPage {
    let text = "This form was sent before, and made a key, which was shown then: no further one was made. If you did not keep it, revoke \
                it in the list of API keys, and open an empty form.";
    ErrorPage::Conflict(text.to_owned())
}

/// Refuses a viewer who may not manage keys.
pub(super) fn require(request: &TenantRequest) -> Result<(), ErrorPage> {
    if request.grant.may_manage(&[]) {
        return Ok(());
    }
    Err(ErrorPage::MayNotManageKeys)
}

/// The key that the viewer signed in with; none who signed in at a provider.
pub(super) async fn own_key<S: Keys>(store: &S, request: &TenantRequest) -> StoreResult<Option<KeyId>> {
    let GrantMaker::Key(hash) = request.grant.maker else { return Ok(None) };
    let key = store.key(hash).await?;
    Ok(key.filter(|key: &std::sync::Arc<Key>| key.tenant == request.grant.tenant).map(|key| key.id))
}

/// The end of a day in UTC, as the rules of a key read it; what is no day stays as it is, and is refused by them.
fn end_of(day: &str) -> String {
    let next = day.parse::<NaiveDate>().ok().and_then(|day| day.checked_add_days(Days::new(1)));
    next.map_or_else(|| day.to_owned(), |next| format!("{next}T00:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn a_day_ends_where_the_next_one_begins_in_utc() {
        for (day, end) in [
            ("2026-11-30", "2026-12-01T00:00:00Z"),
            ("2028-02-28", "2028-02-29T00:00:00Z"),
            ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("soon", "soon"),
        ] {
            assert_eq!(end_of(day), end);
        }
    }
}
