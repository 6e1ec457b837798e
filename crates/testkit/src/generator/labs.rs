//! The tests that the invented hospital's laboratory does, each with that laboratory's own range.

/// A laboratory test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lab {
    /// LOINC code.
    pub(super) code: &'static str,
    /// Title as the laboratory prints it.
    pub(super) title: &'static str,
    /// Unit as printed.
    pub(super) unit: &'static str,
    /// UCUM code of the unit.
    pub(super) ucum: &'static str,
    /// Lower limit.
    pub(super) low: Option<f64>,
    /// Upper limit.
    pub(super) high: Option<f64>,
    /// Words beside the limits.
    pub(super) text: Option<&'static str>,
    /// Decimals printed.
    pub(super) decimals: u32,
}

const fn lab(code: &'static str, title: &'static str, unit: &'static str, decimals: u32) -> Lab {
    Lab { code, title, unit, ucum: unit, low: None, high: None, text: None, decimals }
}

impl Lab {
    const fn within(mut self, low: f64, high: f64) -> Lab {
        self.low = Some(low);
        self.high = Some(high);
        self
    }

    const fn below(mut self, high: f64) -> Lab {
        self.high = Some(high);
        self
    }

    const fn above(mut self, low: f64) -> Lab {
        self.low = Some(low);
        self
    }

    const fn ucum(mut self, code: &'static str) -> Lab {
        self.ucum = code;
        self
    }

    const fn says(mut self, text: &'static str) -> Lab {
        self.text = Some(text);
        self
    }
}

pub(super) const HBA1C: Lab =
    lab("4548-4", "HbA1c", "%", 1).within(4.0, 5.6).says("4.0 to 5.6 %, people without diabetes");
pub(super) const GLUCOSE: Lab = lab("1558-6", "Fasting glucose", "mg/dL", 0).within(70.0, 99.0);
pub(super) const CREATININE: Lab = lab("2160-0", "Creatinine", "mg/dL", 2).within(0.5, 1.1);
/// Reported without a range, as many laboratories do.
pub(super) const EGFR: Lab = lab("98979-8", "eGFR", "mL/min/1.73 m²", 0).ucum("mL/min/{1.73_m2}");
pub(super) const ACR: Lab = lab("9318-7", "Urine ACR", "mg/g", 0).below(30.0);
pub(super) const POTASSIUM: Lab = lab("2823-3", "Potassium", "mmol/L", 1).within(3.5, 5.1);
pub(super) const SODIUM: Lab = lab("2951-2", "Sodium", "mmol/L", 0).within(136.0, 145.0);
pub(super) const CHOLESTEROL: Lab = lab("2093-3", "Total cholesterol", "mg/dL", 0).below(200.0);
pub(super) const LDL: Lab = lab("13457-7", "LDL cholesterol", "mg/dL", 0).below(100.0);
pub(super) const HDL: Lab = lab("2085-9", "HDL cholesterol", "mg/dL", 0).above(50.0);
pub(super) const TRIGLYCERIDES: Lab = lab("2571-8", "Triglycerides", "mg/dL", 0).below(150.0);
pub(super) const HAEMOGLOBIN: Lab = lab("718-7", "Haemoglobin", "g/dL", 1).within(12.0, 15.5);
pub(super) const LEUKOCYTES: Lab = lab("6690-2", "Leukocytes", "10³/µL", 1).ucum("10*3/uL").within(4.0, 10.5);
pub(super) const PLATELETS: Lab = lab("777-3", "Platelets", "10³/µL", 0).ucum("10*3/uL").within(150.0, 400.0);
pub(super) const ALT: Lab = lab("1742-6", "ALT", "U/L", 0).below(35.0);
pub(super) const AST: Lab = lab("1920-8", "AST", "U/L", 0).below(35.0);
pub(super) const TSH: Lab = lab("3016-3", "TSH", "mIU/L", 2).ucum("m[IU]/L").within(0.4, 4.0);
pub(super) const VITAMIN_B12: Lab = lab("2132-9", "Vitamin B12", "pg/mL", 0).within(200.0, 900.0);
pub(super) const URIC_ACID: Lab = lab("3084-1", "Uric acid", "mg/dL", 1).within(2.4, 5.7);
pub(super) const FERRITIN: Lab = lab("2276-4", "Ferritin", "ng/mL", 0).within(15.0, 150.0);
