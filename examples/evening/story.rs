//! What happens on the evening, room by room. Every scene has a time of its own; the stage puts all
//! of them in order.

use super::stage::Stage;

/// How long the app's timer runs, in minutes.
const MINUTES: u64 = 35;

pub(crate) fn evening(seed: u64) -> Stage {
    let mut stage = Stage::new(seed);
    talk_show(&mut stage);
    karaoke(&mut stage);
    game_stream(&mut stage);
    meeting(&mut stage);
    street_music(&mut stage);
    quiz(&mut stage);
    study_group(&mut stage);
    backstage(&mut stage);
    lobby(&mut stage);
    stage.expire_every_minute(MINUTES);
    for minutes in [4, 7, 19, 26, 33] {
        stage.other_event(minutes, "audio_moderation");
    }
    stage.other_event(21, "stream_snapshot");
    stage
}

/// Still on at the end, with its host, two guests on camera and an audience that comes and goes.
fn talk_show(stage: &mut Stage) {
    let mut show = stage.room("talk-1", "Tom's late show", 0);
    show.create("tom", "until_ended").wait(1).join("tom").wait(1).open("tom");
    show.wait(2).publish("tom", "tom-camera");
    for user in ["ann", "ben", "cem", "dora"] {
        show.wait(7).join(user).wait(1).login(user, "2");
    }
    show.heartbeats(&["tom", "ann", "ben"], 2);
    // Apps of an older version join and send no heartbeats.
    for user in ["eli", "fay", "gus", "hana", "ian"] {
        show.wait(5).join(user).wait(1).login(user, "2");
    }
    show.heartbeats(&["tom", "ann", "ben"], 10);
    show.publish("ann", "ann-camera").wait(20).publish("ben", "ben-camera");
    show.wait(1).logout("cem", "0").wait(1).leave("dora").wait(1).logout("dora", "0");
    show.wait(5).publish("tom", "tom-camera"); // the host's network changed
    show.heartbeats(&["tom", "ann", "ben"], 14);
    show.wait(2).logout("eli", "2").wait(9).login("eli", "2");
    show.wait(3).unpublish("ben-camera").wait(1).logout("ben", "0");
    show.wait(1).leave("ben");
    // Ann's app was killed: nothing is heard of it any more, but the media server has her still.
    show.heartbeats(&["tom"], 8);
    show.wait(4).login("ivy", "2").wait(2).login("jo", "4");
    for viewer in ["kit", "lou", "max", "nia", "oz", "pip", "rob", "sky"] {
        show.heartbeats(&["tom"], 2).wait(3).login(viewer, "2");
    }
    for viewer in ["lou", "oz", "fay"] {
        show.heartbeats(&["tom"], 2).wait(3).logout(viewer, "0");
    }
    show.heartbeats(&["tom"], 6);
}

/// A voice room: many short streams, one singer after the other.
fn karaoke(stage: &mut Stage) {
    let singers = ["mei", "lars", "noor", "otto"];
    let mut room = stage.room("karaoke-8", "卡拉OK all night 🎤", 17);
    room.create("mei", "until_empty").wait(1).join("mei").wait(1).open("mei");
    for singer in &singers[1..] {
        room.wait(11).join(singer).wait(1).login(singer, "2");
    }
    for round in 0..2 {
        for singer in singers {
            let stream = format!("mic-{singer}");
            room.wait(3).publish(singer, &stream);
            if round == 1 && singer == "noor" {
                room.wait(30).publish(singer, &stream);
            }
            room.heartbeats(&singers, 3).wait(1).unpublish(&stream);
        }
    }
    room.wait(2).logout("lars", "0").wait(1).leave("lars");
    room.wait(5).publish("mei", "mic-mei");
    for listener in ["alma", "bo", "cleo", "dev"] {
        room.heartbeats(&["mei", "noor", "otto"], 1).login(listener, "2");
    }
    room.logout("bo", "2").heartbeats(&["mei", "noor", "otto"], 2);
}

/// One broadcaster, an audience that only logs in.
fn game_stream(stage: &mut Stage) {
    let mut game = stage.room("game-42", "Speedrun: any % before midnight", 9);
    game.open("quentin").wait(1).create("quentin", "follows_session");
    game.wait(3).publish("quentin", "game-screen").wait(1).publish("quentin", "game-face");
    for viewer in ["ria", "sam", "tess", "uma", "vic", "wes", "xenia", "yan", "zoe"] {
        game.wait(20).login(viewer, "2");
    }
    for viewer in ["sam", "vic", "yan"] {
        game.wait(70).logout(viewer, "0");
    }
    game.wait(30).publish("quentin", "game-screen");
    for viewer in ["sam", "vic", "yan"] {
        // In and out again, quicker than a callback travels.
        game.wait(50).login(viewer, "2").wait(1).logout(viewer, "0").wait(1).login(viewer, "2");
    }
    game.wait(300).unpublish("game-face").wait(60).publish("quentin", "game-face");
    game.wait(90).unpublish("game-face");
}

/// Begins and ends on time, by command.
fn meeting(stage: &mut Stage) {
    let staff = ["paula", "raj", "sofia"];
    let mut meeting = stage.room("meeting-7", "Weekly planning", 2);
    meeting.create("paula", "until_ended");
    for user in staff {
        meeting.wait(6).join(user);
    }
    meeting.wait(1).open("paula").wait(1).login("raj", "2").wait(1).login("sofia", "2");
    for user in staff {
        meeting.wait(2).publish(user, &format!("{user}-desk"));
    }
    meeting.heartbeats(&staff, 20);
    for user in staff {
        meeting.wait(1).unpublish(&format!("{user}-desk")).logout(user, "0");
    }
    meeting.end().wait(1).close(0);
}

/// Known from callbacks only: no client of the app ever spoke of it.
fn street_music(stage: &mut Stage) {
    let mut street = stage.room("street-music", "Busking at the harbour", 16);
    street.open("kofi").wait(1).publish("kofi", "accordion");
    for listener in ["lena", "marc", "nils", "olga", "piet"] {
        street.wait(40).login(listener, "2");
    }
    for _ in 0..4 {
        street.wait(45).unpublish("accordion").wait(20).publish("kofi", "accordion");
    }
    street.wait(100).logout("marc", "4").wait(200).publish("kofi", "accordion");
}

/// Ended, and created again under the same id ten minutes later.
fn quiz(stage: &mut Stage) {
    let mut quiz = stage.room("quiz", "Pub quiz, round 1", 5);
    quiz.create("walt", "until_ended").wait(1).open("walt").wait(1).join("walt");
    quiz.wait(1)
        .publish("walt", "quiz-master")
        .wait(10)
        .login("abe", "2")
        .wait(3)
        .login("bea", "2");
    quiz.heartbeats(&["walt"], 16);
    quiz.end().unpublish("quiz-master");
    for user in ["abe", "bea", "walt"] {
        quiz.logout(user, "3");
    }
    quiz.close(3);

    let mut quiz = stage.room("quiz", "Pub quiz, round 2", 24);
    quiz.create("walt", "until_ended").wait(1).join("walt").wait(1).open("walt");
    quiz.wait(1).publish("walt", "quiz-master").wait(4).login("bea", "2");
    quiz.wait(8).join("cleo").wait(1).login("cleo", "2");
    quiz.heartbeats(&["walt", "cleo"], 20);
}

/// Everybody goes home; the room ends by itself when the last membership has timed out.
fn study_group(stage: &mut Stage) {
    let mut group = stage.room("study-3", "Organic chemistry", 11);
    group.create("iris", "until_empty").wait(1).join("iris").wait(2).join("juan");
    group.wait(1).open("iris").wait(1).login("juan", "2").wait(1).publish("iris", "whiteboard");
    group.heartbeats(&["iris", "juan"], 6);
    group.wait(1).unpublish("whiteboard").wait(1).logout("iris", "0").leave("iris");
    group.wait(3).logout("juan", "0").wait(1).close(2);
    // Juan never said goodbye to the app: his membership times out.
}

/// Its create callback is lost: the room shows on the evidence of who is in it.
fn backstage(stage: &mut Stage) {
    let mut room = stage.room("backstage", "Backstage", 30);
    room.open_unheard().login("quentin", "1").wait(12).login("tess", "2");
    room.wait(2).publish("quentin", "backstage-cam");
}

/// The app's own, always there. Two visitors, one of whom comes back too late.
fn lobby(stage: &mut Stage) {
    let mut lobby = stage.room("lobby", "Lobby", 0);
    lobby.create("staff", "permanent").wait(60).join("ann").wait_until(3, 0).join("kim");
    lobby.wait_until(4, 5).heartbeat("kim").wait_until(5, 50).heartbeat("kim");
    lobby.wait(2).join("kim").heartbeats(&["kim"], 5).leave("kim");
}
