//! Rules of every route: problems, JSON bodies, lists, limits of callers and connections, the OpenAPI document.

mod connection_limits;
mod health;
mod host_header;
mod json_objects;
mod list_pages;
mod openapi;
mod problems;
mod rate_limits;
