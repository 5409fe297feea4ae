pub(crate) mod lookup_cache;
pub(crate) mod lookup_errors;
pub(crate) mod lookup_limiter;
pub(crate) mod resolver_files;
pub(crate) mod resolver_trait;
pub(crate) mod system_resolver;
#[cfg(test)]
pub(crate) mod test_name_server;
