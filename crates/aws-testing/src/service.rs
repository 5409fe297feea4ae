//! The services of AWS that the engine calls, and the endpoint of each.

use http::request::Parts;

/// A service of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    DynamoDb,
    S3,
    Sqs,
    Kms,
}

impl Service {
    /// The service that a request is for, and its operation where a header names it: that of S3 is its method and path.
    pub(crate) fn of(head: &Parts) -> (Self, Option<&str>) {
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        match target.and_then(|target| target.split_once('.')) {
            Some((service, operation)) if service.starts_with("DynamoDB") => {
                (Self::DynamoDb, Some(operation))
            }
            // What KMS is called on the wire since before it was published.
            Some(("TrentService", operation)) => (Self::Kms, Some(operation)),
            Some((_, operation)) => (Self::Sqs, Some(operation)),
            None => (Self::S3, None),
        }
    }

    /// The variable of the environment that names an endpoint of this service, in place of `AWS_ENDPOINT_URL`
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
    const fn endpoint_variable(self) -> &'static str {
        match self {
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::S3 => "AWS_ENDPOINT_URL_S3",
            Self::Sqs => "AWS_ENDPOINT_URL_SQS",
            Self::Kms => "AWS_ENDPOINT_URL_KMS",
        }
    }
}

/// The endpoints of this environment, as the SDK finds them.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    dynamodb: String,
    s3: String,
    sqs: String,
    kms: String,
}

impl Endpoints {
    /// `general` is the endpoint of the services that have none of their own.
    pub(crate) fn from_env(general: &str) -> Self {
        let endpoint = |service: Service| {
            let own = std::env::var(service.endpoint_variable()).ok();
            own.as_deref().unwrap_or(general).trim_end_matches('/').to_owned()
        };
        Self {
            dynamodb: endpoint(Service::DynamoDb),
            s3: endpoint(Service::S3),
            sqs: endpoint(Service::Sqs),
            kms: endpoint(Service::Kms),
        }
    }

    /// The endpoint of a service, without a slash at its end.
    pub(crate) fn of(&self, service: Service) -> &str {
        match service {
            Service::DynamoDb => &self.dynamodb,
            Service::S3 => &self.s3,
            Service::Sqs => &self.sqs,
            Service::Kms => &self.kms,
        }
    }
}
