//! What holds on any machine, whatever its processes do.

use std::collections::BTreeSet;

use forebear_model::{BootId, Device, HostId, Model, ProcessKey, Why};
use proptest::prelude::*;

use crate::world::{PTS, Proc, Told, World, replay};

/// One thing that happens to the process picked by the number.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Fork(usize),
    Exec(usize),
    Exit(usize),
    Setsid(usize),
    OwnGroup(usize),
    Terminal(usize, u32),
    Snapshot,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        4 => any::<usize>().prop_map(Deed::Fork),
        4 => any::<usize>().prop_map(Deed::Exec),
        2 => any::<usize>().prop_map(Deed::Exit),
        1 => any::<usize>().prop_map(Deed::Setsid),
        2 => any::<usize>().prop_map(Deed::OwnGroup),
        1 => (any::<usize>(), 0..4_u32).prop_map(|(who, tty)| Deed::Terminal(who, tty)),
        1 => Just(Deed::Snapshot),
    ];
    prop::collection::vec(deed, 1..120)
}

/// Somebody alive who is neither PID 1 nor kthreadd, or PID 1 if there is nobody else.
fn pick(world: &World, number: usize) -> ProcessKey {
    let alive: Vec<_> = world.processes.values().filter(|p| p.alive && p.key.pid.0 != 2).collect();
    alive[number % alive.len()].key
}

fn perform(world: &mut World, deed: Deed) -> Option<Told> {
    const EXES: [&str; 4] = ["/bin/bash", "/usr/sbin/sshd", "/bin/ls", "/bin/login"];
    match deed {
        Deed::Fork(who) => {
            world.fork(pick(world, who));
        }
        Deed::Exec(who) => {
            let key = pick(world, who);
            if key.pid.0 != 1 {
                return Some(world.exec(key, EXES[who / 7 % EXES.len()]));
            }
        }
        Deed::Exit(who) => {
            let key = pick(world, who);
            if key.pid.0 != 1 {
                world.exit(key);
            }
        }
        Deed::Setsid(who) => {
            let key = pick(world, who);
            // A group leader may not (setsid(2)).
            if world.get(key).state.pgid.0 != key.pid.0 {
                world.setsid(key);
            }
        }
        Deed::OwnGroup(who) => {
            let key = pick(world, who);
            // A session leader may not (setpgid(2)).
            if world.get(key).state.sid.0 != key.pid.0 {
                world.setpgid(key, key.pid.0);
            }
        }
        Deed::Terminal(who, tty) => {
            let key = pick(world, who);
            let proc = world.get(key);
            if proc.state.sid.0 == key.pid.0 && proc.state.tty.is_none() && key.pid.0 != 1 {
                let device = if tty == 3 { Device { major: 4, minor: 64 } } else { PTS(tty) };
                world.open_terminal(key, device);
            }
        }
        Deed::Snapshot => world.snapshot(),
    }
    None
}

/// Performs a deed on the service or one of its descendants only.
fn perform_below(
    world: &mut World,
    service: ProcessKey,
    others: &BTreeSet<ProcessKey>,
    deed: Deed,
) {
    let alive: Vec<_> = world.processes.values().filter(|p| p.alive && p.key.pid.0 != 2).collect();
    let own = |key: ProcessKey| key == service || !others.contains(&key);
    let who = match deed {
        Deed::Fork(who)
        | Deed::Exec(who)
        | Deed::Exit(who)
        | Deed::Setsid(who)
        | Deed::OwnGroup(who)
        | Deed::Terminal(who, _) => who,
        Deed::Snapshot => return,
    };
    if own(alive[who % alive.len()].key) {
        perform(world, deed);
    }
}

fn ancestors(world: &World, key: ProcessKey) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut next = world.get(key).creator;
    while let Some(creator) = next {
        assert!(found.insert(creator.pid.0), "ancestry by creation ends");
        next = world.get(creator).creator;
    }
    found
}

fn check(world: &World, key: ProcessKey, told: &Told) {
    let elders = ancestors(world, key);
    let actual: &Proc = world.get(key);
    assert_eq!(told.parent, Ok(actual.parent.pid.0));
    let leader = told.session_leader;
    if actual.state.sid.0 == key.pid.0 {
        assert!(leader.is_ok_and(|leader| leader != key.pid.0 && elders.contains(&leader)));
    } else {
        assert_eq!(leader, Ok(actual.state.sid.0));
    }
    let inception = told.inception.expect("known where nothing was lost");
    assert!(inception == key.pid.0 || elders.contains(&inception));
    if let Some(typed) = told.last_user_entered {
        let typed = typed.expect("known where nothing was lost");
        assert!(elders.contains(&typed), "a proper ancestor by creation");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_five_processes_are_ancestors_by_creation_and_memory_is_bounded(deeds in deeds()) {
        let mut world = World::observed();
        for deed in deeds {
            if let Some(told) = perform(&mut world, deed) {
                check(&world, world.key_of(told.pid), &told);
            }
            let counters = world.model.counters();
            let alive = world.processes.values().filter(|p| p.alive).count() as u64;
            prop_assert_eq!(counters.living, alive);
            prop_assert!(counters.retained <= 5 * alive);
            prop_assert_eq!(counters.recovered, 0);
        }
    }

    #[test]
    fn a_second_look_changes_nothing(deeds in deeds()) {
        let mut watched = World::observed();
        let mut plain = World::observed();
        for deed in deeds {
            if !matches!(deed, Deed::Snapshot) {
                perform(&mut watched, deed);
                watched.now -= 1_000_003;
                watched.snapshot();
                perform(&mut plain, deed);
                plain.now = watched.now;
            }
        }
        prop_assert_eq!(&watched.told, &plain.told);
    }

    #[test]
    fn any_interleaving_that_the_kernel_allows_gives_the_same_events(
        lives in prop::collection::vec(deeds(), 2..4),
        order in prop::collection::vec(any::<usize>(), 0..400),
    ) {
        // Services that have nothing to do with each other; only the order of each is fixed.
        let mut world = World::observed();
        let begin = world.trace.len();
        let mut queues = Vec::new();
        for deeds in lives {
            let start = world.trace.len();
            let init = world.init();
            let service = world.fork(init);
            let others: BTreeSet<_> = world.processes.keys().copied().collect();
            for deed in deeds.into_iter().filter(|deed| !matches!(deed, Deed::Snapshot)) {
                perform_below(&mut world, service, &others, deed);
            }
            queues.push(world.trace[start..].to_vec());
        }
        let mut merged = world.trace[..begin].to_vec();
        let mut order = order.into_iter();
        let mut heads = vec![0; queues.len()];
        loop {
            let waiting: Vec<_> =
                (0..queues.len()).filter(|queue| heads[*queue] < queues[*queue].len()).collect();
            let Some(count) = std::num::NonZero::new(waiting.len()) else { break };
            let queue = waiting[order.next().unwrap_or(0) % count];
            merged.push(queues[queue][heads[queue]].clone());
            heads[queue] += 1;
        }
        let mut model = Model::new(HostId([1; 16]), BootId([2; 16]));
        let mut told = replay(&mut model, &merged);
        told.retain(|told| !told.backfill);
        told.sort_by_key(|told| (told.pid, told.exec_count));
        world.told.sort_by_key(|told| (told.pid, told.exec_count));
        prop_assert_eq!(told, world.told);
    }

    #[test]
    fn whatever_is_lost_the_table_comes_back_to_the_living(
        deeds in prop::collection::vec((deeds(), any::<bool>()), 1..6)
    ) {
        let mut world = World::observed();
        for (deeds, deaf) in deeds {
            world.deaf = deaf;
            for deed in deeds {
                if let Some(told) = perform(&mut world, deed)
                    && !world.deaf
                {
                    let key = world.key_of(told.pid);
                    let parent = world.get(key).parent.pid.0;
                    prop_assert_eq!(told.parent, Ok(parent), "never a wrong parent");
                    let elders = ancestors(&world, key);
                    for named in [told.inception, told.session_leader] {
                        let holds = match named {
                            Ok(named) => named == key.pid.0 || elders.contains(&named),
                            Err(why) => {
 matches!(why, Why::SensorLostEvents | Why::ExitedBeforeCapture)
}
                        };
                        prop_assert!(holds, "{:?}", named);
                    }
                }
            }
            world.hear_again();
        }
        world.snapshot();
        let alive = world.processes.values().filter(|p| p.alive).count() as u64;
        prop_assert_eq!(world.model.counters().living, alive);
        prop_assert!(world.model.counters().retained <= 5 * alive);
    }
}
