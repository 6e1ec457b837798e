# Medicines and clashes.

medicines-title = Medicines
medicines-opening = Opening the medicines
medicines-add = Add
medicines-allergy = Allergy: { $what }
medicines-allergies = Allergies: { $what }
medicines-current = Taken now
medicines-past = Taken before
medicines-past-show = { $count ->
    [one] 1 medicine taken before
   *[other] { $count } medicines taken before
}
medicines-empty-title = No medicines written down
medicines-empty-text = What { $name } takes, how much and how often, will be listed here.
medicines-on-hold = On hold
medicines-settle-first = settle the dose first
medicines-since = since { $when }
medicines-reason = for { $reason }
medicines-by = by { $who }
medicines-no-dose = no dose written
medicines-unit-h = hour
medicines-unit-d = day
medicines-unit-wk = week
medicines-unit-mo = month
medicines-times-a = { $count ->
    [1] once a { $unit }
    [2] twice a { $unit }
   *[other] { $count } times a { $unit }
}
medicines-times-every = { $count ->
    [1] once every { $every } { $unit }s
   *[other] { $count } times every { $every } { $unit }s
}
medicines-none-now = Nothing is written as taken now.

clash-title = { $title }: { $count ->
    [2] two values
    [3] three values
   *[other] { $count } values
} for { $field }
clash-title-dose = { $title }: { $count ->
    [2] two doses written
    [3] three doses written
   *[other] { $count } doses written
}
clash-wrote = wrote
clash-own = you, on this device
clash-empty = nothing
clash-nothing-chosen = Nothing was chosen for you.
clash-agreed = Last agreed: { $value }, by { $author }, { $when }.
clash-agreed-none = There is no earlier value that both had.
clash-settle = Settle it
clash-settle-dose = Settle the dose
clash-settle-label = Settle { $title }, { $field }

settle-title = Settle { $field } of { $title }
settle-title-dose = Settle the dose of { $title }
settle-intro = { $authors } wrote different values while both were offline. Mecum never picks one.
settle-intro-one = { $authors } wrote different values on two devices while they were offline. Mecum never picks one.
settle-agreed = Last agreed
settle-and = and
settle-which = Which is right?
settle-as = { $value }, as { $author } wrote
settle-matches = Matches the last agreed value.
settle-differs = Differs from the last agreed value, { $value }.
settle-on = { $device }, { $when }
settle-hold = Until it is settled, it stays on hold.
settle-hold-text = All your devices see what you choose, and who chose it. Either value can be brought back from the history.
settle-later = Not now
settle-save = Save this choice
settle-choose-first = Choose one first
settle-saved = Settled: { $value }
settle-done-title = This is settled
settle-done-text = Somebody has settled it already, on this or another device. The history has both values.
