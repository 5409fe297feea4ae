//! The picker of events: those of the catalogue, with a search that works without the script, and others by their names.

use maud::{Markup, html};

use super::field::{Shown, id};
use super::try_out;
use crate::page::webhook_form::field::Control;
use crate::page::webhook_form::{ACTION_FIELD, SEARCH_FIELD, SEARCHED_FIELD, TryOut};
use loanhook_core::model::catalogue;
use loanhook_core::model::operational::OperationalKind;

/// The further fields of a kind of criteria.
pub(super) fn more(fields: Shown<'_>, kind: &str, tried: Option<&TryOut>) -> Markup {
    match kind {
        "events" => events(fields),
        "trigger" => try_out::formula(tried, true),
        "operational" => operational(fields),
        _ => html! {},
    }
}

fn events(fields: Shown<'_>) -> Markup {
    let form = fields.form;
    let searched = form.get(SEARCH_FIELD).trim().to_lowercase();
    let is_picked = |name: &str| form.all("event").any(|picked| picked == name);
    let names = || catalogue::TYPES.iter().map(|of| &*of.event_name);
    let is_found = |name: &&str| name.to_lowercase().contains(&searched);
    let found: Vec<_> = names().filter(is_found).collect();
    html! {
        fieldset.picker id=(id("event")) tabindex="-1" aria-describedby=[fields.described_by("event", false)] {
            legend { "Events of the catalogue" }
            (fields.faults("event"))
            div.search-in {
                label.unseen for=(id(SEARCH_FIELD)) { "Search among the events" }
                input id=(id(SEARCH_FIELD)) type="search" name=(SEARCH_FIELD) value=(form.get(SEARCH_FIELD))
                    placeholder="Search among the events" autocomplete="off" data-filters="#picks";
                input type="hidden" name=(SEARCHED_FIELD) value=(form.get(SEARCH_FIELD));
                button type="submit" name=(ACTION_FIELD) value="search" formaction={ "#" (id("event")) } { "Search" }
            }
            ul #picks aria-label="Events of the catalogue" {
                @for name in &found {
                    li.switch {
                        @let pick = format!("pick-{}", name.to_lowercase().replace(|char: char| !char.is_ascii_alphanumeric(), "-"));
                        input id=(pick) type="checkbox" name="event" value=(name) checked[is_picked(name)];
                        label for=(pick) { (name) }
                    }
                }
            }
            @if found.is_empty() { p.quiet { "No event of the catalogue has that in its name." } }
            // Those that are picked stay so, whatever is searched.
            @for name in names().filter(|name| !is_found(name) && is_picked(name)) {
                input type="hidden" name="event" value=(name);
            }
        }
        (fields.one("otherEvents", "Other events, one on each line", "", Control::Text(2)))
    }
}

fn operational(fields: Shown<'_>) -> Markup {
    html! {
        fieldset.picker id=(id("operational")) tabindex="-1" aria-describedby=[fields.described_by("operational", false)] {
            legend { "Operational events" }
            (fields.faults("operational"))
            ul {
                @for kind in OperationalKind::ALL {
                    @let name = kind.as_str();
                    li.switch {
                        @let pick = format!("pick-{}", name.replace('.', "-"));
                        input id=(pick) type="checkbox" name="operational" value=(name)
                            checked[fields.form.all("operational").any(|picked| picked == name)];
                        label for=(pick) { (name) }
                    }
                }
            }
        }
    }
}
