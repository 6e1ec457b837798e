//! Plain words for common results: what each shows and what it cannot tell, with its source. Fixed texts in `locales/*/glossary.ftl`, version 1,
//! not yet reviewed by a clinician. No text here judges a value: only a laboratory's own range and an agreed goal do.

/// The version that every explanation names.
pub const VERSION: u32 = 1;

/// The headings under which series are listed, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Blood sugar.
    Sugar,
    /// Kidney.
    Kidney,
    /// Blood fats.
    Fats,
    /// Liver.
    Liver,
    /// Blood cells.
    Blood,
    /// Salts and minerals.
    Salts,
    /// Thyroid.
    Thyroid,
    /// Heart and breathing.
    Heart,
    /// Body.
    Body,
    /// What has no checked text.
    Other,
}

impl Topic {
    /// Every heading in its order.
    pub const ALL: &'static [Topic] = &[
        Topic::Sugar,
        Topic::Kidney,
        Topic::Fats,
        Topic::Liver,
        Topic::Blood,
        Topic::Salts,
        Topic::Thyroid,
        Topic::Heart,
        Topic::Body,
        Topic::Other,
    ];

    /// Fluent id of the heading.
    pub fn message_id(self) -> &'static str {
        match self {
            Topic::Sugar => "topic-sugar",
            Topic::Kidney => "topic-kidney",
            Topic::Fats => "topic-fats",
            Topic::Liver => "topic-liver",
            Topic::Blood => "topic-blood",
            Topic::Salts => "topic-salts",
            Topic::Thyroid => "topic-thyroid",
            Topic::Heart => "topic-heart",
            Topic::Body => "topic-body",
            Topic::Other => "topic-other",
        }
    }
}

/// One explained series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Part of its Fluent ids: `glossary-KEY` the plain name, `-shows`, `-cannot`.
    pub key: &'static str,
    /// The LOINC codes that mean it.
    pub loinc: &'static [&'static str],
    /// Its heading.
    pub topic: Topic,
    /// The page at MedlinePlus (U.S. National Library of Medicine) that the text follows.
    pub source: &'static str,
}

impl Word {
    /// Fluent id of the plain name.
    pub fn name_id(&self) -> String {
        format!("glossary-{}", self.key)
    }

    /// Fluent id of what it shows.
    pub fn shows_id(&self) -> String {
        format!("glossary-{}-shows", self.key)
    }

    /// Fluent id of what it cannot tell.
    pub fn cannot_id(&self) -> String {
        format!("glossary-{}-cannot", self.key)
    }
}

macro_rules! words {
    ($($key:literal $topic:ident [$($loinc:literal),*] $source:literal;)*) => {
        /// Every explained series.
        pub const WORDS: &[Word] = &[$(Word {
            key: $key,
            loinc: &[$($loinc),*],
            topic: Topic::$topic,
            source: concat!("medlineplus.gov/", $source),
        }),*];
    };
}

words! {
    "hba1c" Sugar ["4548-4", "17856-6", "59261-8"] "lab-tests/hemoglobin-a1c-hba1c-test";
    "glucose" Sugar ["2339-0", "2345-7", "15074-8", "1558-6", "14749-6"] "lab-tests/blood-glucose-test";
    "egfr" Kidney ["33914-3", "62238-1", "48642-3", "77147-7", "98979-8"] "lab-tests/glomerular-filtration-rate-gfr-test";
    "creatinine" Kidney ["2160-0", "38483-4", "14682-9"] "lab-tests/creatinine-test";
    "urea" Kidney ["6299-2", "3094-0", "22664-7"] "lab-tests/bun-blood-urea-nitrogen";
    "urine-albumin" Kidney ["9318-7", "14959-1", "32294-1"] "lab-tests/microalbumin-creatinine-ratio";
    "cholesterol" Fats ["2093-3", "14647-2"] "lab-tests/cholesterol-levels";
    "ldl" Fats ["18262-6", "13457-7", "2089-1", "39469-2"] "lab-tests/cholesterol-levels";
    "hdl" Fats ["2085-9", "14646-4"] "lab-tests/cholesterol-levels";
    "triglycerides" Fats ["2571-8", "14927-8"] "lab-tests/triglycerides-test";
    "alt" Liver ["1742-6"] "lab-tests/alt-blood-test";
    "ast" Liver ["1920-8"] "lab-tests/ast-test";
    "alp" Liver ["6768-6"] "lab-tests/alkaline-phosphatase";
    "bilirubin" Liver ["1975-2", "14631-6"] "lab-tests/bilirubin-blood-test";
    "albumin" Liver ["1751-7"] "lab-tests/albumin-blood-test";
    "haemoglobin" Blood ["718-7"] "lab-tests/hemoglobin-test";
    "haematocrit" Blood ["4544-3", "20570-8"] "lab-tests/hematocrit-test";
    "red-cells" Blood ["789-8"] "lab-tests/red-blood-cell-rbc-count";
    "white-cells" Blood ["6690-2"] "lab-tests/white-blood-count-wbc";
    "platelets" Blood ["777-3"] "lab-tests/platelet-tests";
    "potassium" Salts ["2823-3", "6298-4"] "lab-tests/potassium-blood-test";
    "sodium" Salts ["2951-2", "2947-0"] "lab-tests/sodium-blood-test";
    "chloride" Salts ["2075-0", "2069-3"] "lab-tests/chloride-blood-test";
    "calcium" Salts ["17861-6", "49765-1"] "lab-tests/calcium-blood-test";
    "bicarbonate" Salts ["2028-9", "20565-8"] "lab-tests/carbon-dioxide-co2-in-blood";
    "tsh" Thyroid ["3016-3", "11580-8"] "lab-tests/tsh-thyroid-stimulating-hormone-test";
    "blood-pressure" Heart ["85354-9", "55284-4"] "lab-tests/measuring-blood-pressure";
    "heart-rate" Heart ["8867-4"] "vitalsigns.html";
    "breathing-rate" Heart ["9279-1"] "vitalsigns.html";
    "oxygen" Heart ["2708-6", "59408-5"] "lab-tests/pulse-oximetry";
    "temperature" Body ["8310-5", "8331-1"] "vitalsigns.html";
    "weight" Body ["29463-7"] "bodyweight.html";
    "height" Body ["8302-2"] "bodyweight.html";
    "bmi" Body ["39156-5"] "bodyweight.html";
}

/// The word for a LOINC code, where there is one.
pub fn word(loinc: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.loinc.contains(&loinc))
}

/// The heading for a LOINC code.
pub fn topic(loinc: Option<&str>) -> Topic {
    loinc.and_then(word).map_or(Topic::Other, |word| word.topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [(&str, &str); 2] = [
        ("en", include_str!("../locales/en/glossary.ftl")),
        ("id", include_str!("../locales/id/glossary.ftl")),
    ];

    #[test]
    fn every_word_has_its_three_texts_in_both_languages() {
        for (language, text) in TEXTS {
            for word in WORDS {
                for id in [word.name_id(), word.shows_id(), word.cannot_id()] {
                    assert!(
                        text.lines().any(|line| line.starts_with(&format!("{id} = "))),
                        "{id} is said in {language}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_code_means_one_thing() {
        let mut codes: Vec<&str> = WORDS.iter().flat_map(|word| word.loinc).copied().collect();
        codes.sort_unstable();
        let all = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), all, "no code stands under two words");
    }
}
