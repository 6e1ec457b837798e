//! The Fluent ids of the labels, and the FHIR status codes that have words: a screen that has them all can show every reading.

macro_rules! labels {
    ($($name:ident = $id:literal;)*) => {
        $(pub(super) const $name: &str = $id;)*

        /// Every label that [`super::Detail`] can carry.
        pub const LABELS: &[&str] = &[$($id),*];
    };
}

labels! {
    ABSENT_REASON = "detail-absent-reason";
    ACHIEVEMENT = "detail-achievement";
    ACTIVITIES = "detail-activities";
    ADDRESS = "detail-address";
    ADDRESSES = "detail-addresses";
    AGE = "detail-age";
    ALLERGY_TYPE = "detail-allergy-type";
    ANATOMY = "detail-body-site";
    AS_NEEDED = "detail-as-needed";
    ATTACHMENT = "detail-attachment";
    AUTHOR = "detail-author";
    AUTHORED = "detail-authored";
    BASED_ON = "detail-based-on";
    BIRTH_DATE = "detail-birth-date";
    CATEGORY = "detail-category";
    CLINICAL_STATUS = "detail-clinical-status";
    CLINICIAN = "detail-clinician";
    CODE = "detail-code";
    COMPONENTS = "detail-components";
    CONCLUSION = "detail-conclusion";
    CONDITIONS = "detail-conditions";
    CONTACT = "detail-contact";
    CRITICALITY = "detail-criticality";
    CUSTODIAN = "detail-custodian";
    DATE = "detail-date";
    DECEASED = "detail-deceased";
    DESCRIPTION = "detail-description";
    DEVICE = "detail-device";
    DIAGNOSIS = "detail-diagnosis";
    DISCHARGE = "detail-discharge";
    DISPENSE = "detail-dispense";
    DOCUMENT_TYPE = "detail-document-type";
    DOSE = "detail-dose";
    DOSE_NUMBER = "detail-dose-number";
    DUE = "detail-due";
    ENCOUNTER = "detail-encounter";
    END = "detail-end";
    EXPIRY = "detail-expiry";
    FOLLOW_UP = "detail-follow-up";
    FORM = "detail-form";
    FREQUENCY = "detail-frequency";
    GENDER = "detail-gender";
    GOALS = "detail-goals";
    IDENTIFIERS = "detail-identifiers";
    IMAGES = "detail-images";
    INGREDIENTS = "detail-ingredients";
    INSTRUCTION = "detail-instruction";
    INTENT = "detail-intent";
    INTERPRETATION = "detail-interpretation";
    ISSUED = "detail-issued";
    LANGUAGE = "detail-language";
    LAST_OCCURRENCE = "detail-last-occurrence";
    LOCATION = "detail-location";
    LOT = "detail-lot";
    MANUFACTURER = "detail-manufacturer";
    MARITAL_STATUS = "detail-marital-status";
    MEDICINE = "detail-medicine";
    MEMBERS = "detail-members";
    METHOD = "detail-method";
    MODALITY = "detail-modality";
    NAME = "detail-name";
    NARRATIVE = "detail-narrative";
    NOTE = "detail-note";
    ONSET = "detail-onset";
    ORGANIZATION = "detail-organization";
    OUTCOME = "detail-outcome";
    PARTICIPANTS = "detail-participants";
    PERFORMER = "detail-performer";
    PRIORITY = "detail-priority";
    PROCEDURE = "detail-procedure";
    REACTIONS = "detail-reactions";
    REASON = "detail-reason";
    RECORDED = "detail-recorded";
    RECORDER = "detail-recorder";
    REFERENCE_RANGE = "detail-reference-range";
    RELATIONSHIP = "detail-relationship";
    REQUESTER = "detail-requester";
    RESULTS = "detail-results";
    ROUTE = "detail-route";
    SECTIONS = "detail-sections";
    SERIES = "detail-series";
    SEVERITY = "detail-severity";
    SITE = "detail-site";
    SPECIMEN = "detail-specimen";
    START = "detail-start";
    STATUS = "detail-status";
    STATUS_REASON = "detail-status-reason";
    SUBSTANCE = "detail-substance";
    TARGET = "detail-target";
    TARGET_DISEASE = "detail-target-disease";
    TELECOM = "detail-telecom";
    TYPE = "detail-type";
    VACCINE = "detail-vaccine";
    VALUE = "detail-value";
    VERIFICATION = "detail-verification";
    VISIT_CLASS = "detail-visit-class";
}

/// FHIR R4 codes shown as a status; anything else is shown as text. Source: the required value sets of the types read here.
pub const STATUSES: &[&str] = &[
    "accepted",
    "achieved",
    "active",
    "amended",
    "appended",
    "arrived",
    "available",
    "balanced",
    "booked",
    "cancelled",
    "completed",
    "confirmed",
    "corrected",
    "current",
    "deceased",
    "declined",
    "differential",
    "draft",
    "entered-in-error",
    "female",
    "final",
    "finished",
    "fulfilled",
    "health-unknown",
    "high",
    "improving",
    "in-progress",
    "inactive",
    "instance-order",
    "intended",
    "issued",
    "low",
    "male",
    "mild",
    "moderate",
    "no-change",
    "no-progress",
    "not-achieved",
    "not-attainable",
    "not-done",
    "not-started",
    "not-taken",
    "on-hold",
    "onleave",
    "option",
    "order",
    "original-order",
    "other",
    "partial",
    "pending",
    "plan",
    "planned",
    "preliminary",
    "preparation",
    "proposal",
    "proposed",
    "provisional",
    "recurrence",
    "reflex-order",
    "refuted",
    "registered",
    "rejected",
    "relapse",
    "remission",
    "requested",
    "resolved",
    "retired",
    "revoked",
    "routine",
    "scheduled",
    "severe",
    "stat",
    "asap",
    "urgent",
    "stopped",
    "superseded",
    "sustaining",
    "triaged",
    "unable-to-assess",
    "unconfirmed",
    "unknown",
    "worsening",
    "filler-order",
    "directive",
];
