//! Scope of a bulk resend: the webhooks of one loan, or those of all loans of the tenant; its paths, and what filters mean in it.

use axum::body::Body;
use http::HeaderMap;

use super::bulk_filter::BulkFilter;
use super::delivery_parameters::filter_input;
use super::error_page::ErrorPage;
use super::form::Form;
use super::page_parameters::PageParameters;
use super::page_request::{PageRequest, loan_page_path};
use super::tenant_request::{DELIVERIES_PATH, JOBS_PATH, TenantRequest};
use crate::web::{self, Origin};
use loanhook_core::delivery_list::DeliveryFilterInput;
use loanhook_core::model::grant::Grant;
use loanhook_core::model::id::{JobId, LoanId};
use loanhook_core::model::job::{Job, JobKind, Selection};
use loanhook_core::model::key::Scope;
use loanhook_core::ports::Jobs;

/// Who asks for a bulk resend, and of what.
pub(super) struct BulkScope {
    pub(super) grant: Grant,
    origin: Origin,
    /// None for all loans.
    pub(super) loan: Option<LoanId>,
    /// The job that the path names.
    job: Option<JobId>,
}

impl From<PageRequest> for BulkScope {
    fn from(request: PageRequest) -> Self {
        let job = request.id().parse().ok();
        Self { grant: request.grant, origin: request.origin, loan: Some(request.loan), job }
    }
}

impl From<TenantRequest> for BulkScope {
    fn from(request: TenantRequest) -> Self {
        let job = request.id.parse().ok();
        Self { grant: request.grant, origin: request.origin, loan: None, job }
    }
}

impl BulkScope {
    pub(super) fn may_resend(&self) -> bool {
        self.grant.may(Scope::WebhooksResend)
    }

    /// Refuses a viewer who may not resend.
    pub(super) fn require_resend(&self) -> Result<(), ErrorPage> {
        if self.may_resend() { Ok(()) } else { Err(ErrorPage::MayNotResend) }
    }

    /// The path of the list that is resent.
    pub(super) fn list_path(&self) -> String {
        self.loan.as_ref().map_or_else(|| DELIVERIES_PATH.to_owned(), loan_page_path)
    }

    /// The path of the question whether all that match these filters are to be resent, with its query.
    pub(super) fn question_path(&self, parameters: &PageParameters) -> String {
        bulk_resend_path(&self.list_path(), parameters)
    }

    /// The path of the page of a job.
    pub(super) fn job_path(&self, id: JobId) -> String {
        match &self.loan {
            Some(loan) => format!("/loans/{}/resends/{id}", web::path_segment(loan.as_str())),
            None => format!("{JOBS_PATH}/{id}"),
        }
    }

    /// The filters of the list in a query.
    pub(super) fn parameters(&self, query: Option<&str>) -> PageParameters {
        let parameters = match self.loan {
            Some(_) => PageParameters::read(query),
            None => PageParameters::read_of_deliveries(query),
        };
        parameters.first_page()
    }

    /// What filters choose; none where no delivery can be chosen by them.
    pub(super) fn filter(&self, parameters: &PageParameters) -> Option<DeliveryFilterInput> {
        match &self.loan {
            Some(loan) => match BulkFilter::of(parameters, loan) {
                BulkFilter::Deliveries(filter) => Some(*filter),
                BulkFilter::Empty | BulkFilter::OfAttempts(_) => None,
            },
            None => parameters.filters().next().map(|_| filter_input(parameters)),
        }
    }

    /// Whether the viewer may see a job: for a loan, a bulk resend whose deliveries are all of that loan.
    fn covers(&self, job: &Job) -> bool {
        match (&self.loan, &job.request.selection) {
            (None, _) => true,
            (Some(loan), Selection::Filter(filter)) => {
                job.request.kind == JobKind::Resend && filter.loan_id.as_deref() == Some(loan.as_str())
            }
            (Some(_), Selection::Traces) => false,
        }
    }

    /// The fields of a form from a page that was made for this viewer.
    pub(super) async fn form(&self, body: Body, headers: &HeaderMap) -> Result<Form, ErrorPage> {
        Form::of_viewer(body, headers, (&self.grant, &self.origin)).await
    }

    /// The job that the path names, if the viewer may see it.
    pub(super) async fn find_job<S: Jobs>(&self, store: &S) -> Result<Job, ErrorPage> {
        let id = self.job.ok_or(ErrorPage::NotFound)?;
        let job = store.job(&self.grant.tenant, id).await?;
        job.filter(|job| self.covers(job)).ok_or(ErrorPage::NotFound)
    }
}

/// The path of the question whether all of a list that match these filters are to be resent, with its query.
pub(super) fn bulk_resend_path(list: &str, parameters: &PageParameters) -> String {
    format!("{list}/resend-all{}", parameters.query())
}
