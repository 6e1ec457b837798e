# Settings, language and display.

settings-opening = Opening the settings
settings-saved = Saved
settings-devices = Devices
settings-devices-about = Your devices, the server, add a device
settings-lock = Locking
settings-auto-lock = Lock by itself
settings-auto-lock-hint = When nobody has used Mecum for this long.
settings-auto-lock-never = Never
settings-auto-lock-after = { $count ->
    [one] After 1 minute
   *[other] After { $count } minutes
}
settings-lock-now = Lock now
settings-this-device = This device
settings-about = About Mecum
settings-version = Version { $version }
settings-licences = Letters: Atkinson Hyperlegible Next (OFL). Icons: Lucide (ISC). Mecum does not diagnose and gives no advice on doses.

display-title = Language and display
display-language = Language
language-id = Indonesian
language-en = Inggris
display-text-size = Text size
display-smaller = Smaller text
display-larger = Larger text
display-percent = { $percent } %
display-sample = HbA1c 7.8 %, above range
display-sample-letters = Il1 O0 are easy to tell apart
display-look = Look
display-light = Light
display-dark = Dark
display-system = As device
display-contrast = Stronger contrast
display-contrast-hint = Darker text and lines, no tints
display-less-movement = Less movement
display-less-movement-hint = No slides, no fades
