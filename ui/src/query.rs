//! Asking: one hook for every command that a page reads by. It asks again when news of one of its topics comes, and keeps what it has meanwhile.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mecum_api::command::{self, Command};
use mecum_api::{CallError, Code, NewsArgs, Topic};
use yew::prelude::*;

use crate::backend::{Backend, use_backend};

/// What is known of an answer.
pub enum QueryState<T> {
    /// Nothing yet.
    Loading,
    /// The answer.
    Ready(Rc<T>),
    /// It was refused, and there is no earlier answer.
    Failed(CallError),
}

impl<T> Clone for QueryState<T> {
    fn clone(&self) -> Self {
        match self {
            QueryState::Loading => QueryState::Loading,
            QueryState::Ready(data) => QueryState::Ready(data.clone()),
            QueryState::Failed(error) => QueryState::Failed(error.clone()),
        }
    }
}

/// A question to the client.
pub struct Query<T> {
    /// What is known.
    pub state: QueryState<T>,
    reload: Callback<()>,
    anew: Callback<()>,
}

impl<T> Query<T> {
    /// The answer, where there is one.
    pub fn data(&self) -> Option<Rc<T>> {
        match &self.state {
            QueryState::Ready(data) => Some(data.clone()),
            _ => None,
        }
    }

    /// Asks again.
    pub fn reload(&self) -> Callback<()> {
        self.reload.clone()
    }

    /// Asks again after the person did something: what was asked before that, and is answered only now, is not shown any more.
    pub fn anew(&self) -> Callback<()> {
        self.anew.clone()
    }
}

type Listener = (u32, Vec<Topic>, Callback<()>);

/// Carries news to the queries of the page.
#[derive(Clone, Default)]
pub struct Bus {
    listeners: Rc<RefCell<Vec<Listener>>>,
    next: Rc<Cell<u32>>,
}

impl PartialEq for Bus {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.listeners, &other.listeners)
    }
}

impl Bus {
    /// Tells every query of one of these topics.
    pub fn tell(&self, topics: &[Topic]) {
        // Collected first: a listener may subscribe or leave while it is told.
        let told: Vec<Callback<()>> = self
            .listeners
            .borrow()
            .iter()
            .filter(|(_, wanted, _)| wanted.iter().any(|topic| topics.contains(topic)))
            .map(|(_, _, callback)| callback.clone())
            .collect();
        for callback in told {
            callback.emit(());
        }
    }

    fn listen(&self, topics: Vec<Topic>, callback: Callback<()>) -> impl FnOnce() + use<> {
        let id = self.next.get();
        self.next.set(id.wrapping_add(1));
        self.listeners.borrow_mut().push((id, topics, callback));
        let listeners = self.listeners.clone();
        move || listeners.borrow_mut().retain(|(other, ..)| *other != id)
    }
}

/// The bus of this page.
#[hook]
pub fn use_bus() -> Bus {
    use_context::<Bus>().expect("the app provides its bus to every page")
}

/// Waits for news for as long as the page lives. A client that does not answer is asked again after a pause.
pub async fn news_loop(backend: Backend, bus: Bus) {
    const PAUSE_MS: i32 = 1_500;
    let mut after = 0;
    loop {
        match backend.call::<command::News>(NewsArgs { after }).await {
            Ok(news) => {
                bus.tell(&news.topics);
                if news.topics.is_empty() {
                    pause(50).await;
                }
                after = news.at;
            }
            Err(_) => pause(PAUSE_MS).await,
        }
    }
}

async fn pause(ms: i32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        if let Some(window) = web_sys::window() {
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
        }
    });
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}

/// Waits in the page.
pub async fn sleep_ms(ms: i32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        if let Some(window) = web_sys::window() {
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
        }
    });
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}

/// What one hook instance remembers between renders without causing one.
#[derive(Default)]
struct Going {
    /// Counts questions, so that a late answer to an earlier one is dropped.
    number: Cell<u32>,
    /// A question is under way.
    busy: Cell<bool>,
    /// News came meanwhile: ask once more afterwards.
    again: Cell<bool>,
}

/// Asks `C` with `args`, and again whenever news of one of `topics` comes. An answer to other arguments is never shown.
#[hook]
pub fn use_query<C>(args: C::Args, topics: Vec<Topic>) -> Query<C::Output>
where
    C: Command + 'static,
    C::Args: Clone + PartialEq + 'static,
    C::Output: 'static,
{
    let (backend, bus) = (use_backend(), use_bus());
    let held = {
        let (backend, args) = (backend.clone(), args.clone());
        use_state(move || {
            let state = match backend.at_once::<C>(&args) {
                Some(Ok(output)) => QueryState::Ready(Rc::new(output)),
                Some(Err(error)) => QueryState::Failed(error),
                None => QueryState::Loading,
            };
            (args, state)
        })
    };
    let going = use_memo((), |()| Going::default());
    let ask = use_callback(args.clone(), {
        let (held, going, backend, bus) = (held.setter(), going.clone(), backend.clone(), bus.clone());
        move |fresh: bool, args: &C::Args| {
            if going.busy.get() && !fresh {
                going.again.set(true);
                return;
            }
            start::<C>(&backend, &bus, &going, &held, args);
        }
    });
    let reload = {
        let ask = ask.clone();
        use_callback(ask, |(), ask| ask.emit(false))
    };
    let anew = {
        let ask = ask.clone();
        use_callback(ask, |(), ask| ask.emit(true))
    };
    {
        let ask = ask.clone();
        use_effect_with(args.clone(), move |_| ask.emit(true));
    }
    {
        let reload = reload.clone();
        use_effect_with((topics, reload), move |(topics, reload)| bus.listen(topics.clone(), reload.clone()));
    }
    let state = if held.0 == args { held.1.clone() } else { QueryState::Loading };
    Query { state, reload, anew }
}

fn start<C>(
    backend: &Backend,
    bus: &Bus,
    going: &Rc<Going>,
    held: &UseStateSetter<(C::Args, QueryState<C::Output>)>,
    args: &C::Args,
) where
    C: Command + 'static,
    C::Args: Clone + PartialEq + 'static,
    C::Output: 'static,
{
    let number = going.number.get().wrapping_add(1);
    going.number.set(number);
    going.busy.set(true);
    going.again.set(false);
    let (backend, bus, going, held, args) =
        (backend.clone(), bus.clone(), going.clone(), held.clone(), args.clone());
    wasm_bindgen_futures::spawn_local(async move {
        loop {
            let answer = backend.call::<C>(args.clone()).await;
            if going.number.get() != number {
                return;
            }
            match answer {
                Ok(output) => held.set((args.clone(), QueryState::Ready(Rc::new(output)))),
                Err(error) => {
                    if error.code == Code::Locked {
                        bus.tell(&[Topic::Vault]);
                    }
                    held.set((args.clone(), QueryState::Failed(error)));
                }
            }
            if !going.again.take() {
                break;
            }
        }
        going.busy.set(false);
    });
}
