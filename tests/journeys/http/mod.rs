//! Rules of every route: problems, JSON bodies, lists, limits of callers and connections, the OpenAPI document.

mod connection_limits;
mod event_types_and_egress;
mod health;
mod host_header;
mod json_bodies;
mod json_objects;
mod list_pages;
mod openapi;
mod problems;
mod rate_limits;
mod ready;
mod response_headers;
