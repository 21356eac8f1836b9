//! A program that dies in a C++ library: `sentry-minidump` writes down how, in a process of its own, and sends it.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::time::Duration;

use sentry::{Breadcrumb, ClientOptions, User};
use sentry_minidump::MinidumpIntegration;

unsafe extern "C" {
    fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// Resolve everything at once.
const RTLD_NOW: c_int = 2;

type Checkout = unsafe extern "C" fn(*const c_void) -> c_int;

fn checkout(library: &str) -> Checkout {
    let library = CString::new(library).expect("a path");
    let name: &CStr = c"shop_checkout";
    // SAFETY: both names end with a zero, and the symbol is a function of that shape.
    unsafe {
        let library = dlopen(library.as_ptr(), RTLD_NOW);
        assert!(!library.is_null(), "the library cannot be loaded");
        let function = dlsym(library, name.as_ptr());
        assert!(!function.is_null(), "the library has no shop_checkout");
        std::mem::transmute::<*mut c_void, Checkout>(function)
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, dsn, library, crashes] = arguments.as_slice() else {
        panic!("say a DSN, the library, and the folder for crashes");
    };
    // The process that reports runs up to `init`, and gets the same arguments.
    let _client = sentry::init(
        ClientOptions::new()
            .dsn(dsn.as_str())
            .release("shop@1.2.3")
            .environment("test")
            .add_integration(
                MinidumpIntegration::new()
                    .crashes_dir(crashes)
                    .before_capture(|scope, _| scope.set_tag("reporter", "apart"))
                    .flush_timeout(Duration::from_secs(20)),
            ),
    );
    sentry::with_integration(|minidump: &MinidumpIntegration, _| {
        minidump.set_user(Some(User {
            id: Some("7".into()),
            ..User::default()
        }));
        minidump.add_breadcrumb(Breadcrumb {
            message: Some("to the checkout".into()),
            ..Breadcrumb::default()
        });
    });
    let idle = std::thread::Builder::new().name("idle".into());
    idle.spawn(|| std::thread::sleep(Duration::from_secs(60)))
        .expect("a thread");
    let checkout = checkout(library);
    // SAFETY: none. There is no cart at this address, which is the point.
    unsafe { checkout(std::ptr::null()) };
}
