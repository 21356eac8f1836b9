//! Any bytes as a debug file, in every form that there is of one. What a library panics over is refused like the rest,
//! so this looks for what takes memory and time without end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use symbolicate::convert::convert;
use symbolicate::files::Form;

fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    for form in [
        Form::Symbols,
        Form::Unwind,
        Form::PortablePdb,
        Form::Sources,
        Form::Il2cpp,
        Form::Proguard,
    ] {
        let _ = convert(form, bytes, None);
    }
});
