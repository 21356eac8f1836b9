//! Events as tables and series: the figures are those of what was sent.

use serde_json::{Value, json};
use testkit::server::Server;

use crate::{error, on_both};

fn get(server: &Server, path: &str) -> Value {
    let path = path
        .replace(' ', "%20")
        .replace('"', "%22")
        .replace('[', "%5B")
        .replace(']', "%5D");
    let reply = server.api("GET", &format!("organizations/acme/{path}"), None);
    assert_eq!(reply.status, 200, "{path}: {}", reply.json());
    reply.json()
}

#[test]
fn figures_are_those_of_what_was_sent() {
    on_both(|server, _| {
        for n in 1..=7 {
            let mut event = error(n, if n <= 5 { "Boom" } else { "Crash" });
            event["release"] = json!(if n % 2 == 0 { "shop@2" } else { "shop@1" });
            server.send(&event);
        }
        server.until("seven events", |s| {
            let path = "organizations/acme/events/?field=count()";
            (s.api("GET", path, None).json()["data"][0]["count()"] == 7).then_some(())
        });
        let by_release = get(
            server,
            "events/?field=release&field=count()&field=count_unique(user)&sort=-count()",
        );
        assert_eq!(
            by_release["data"],
            json!([
                { "release": "shop@1", "count()": 4, "count_unique(user)": 3 },
                { "release": "shop@2", "count()": 3, "count_unique(user)": 3 },
            ])
        );
        assert_eq!(by_release["meta"]["fields"]["count()"], "integer");
        let ascending = get(server, "events/?field=release&field=count()&sort=count");
        assert_eq!(ascending["data"][0]["release"], "shop@2");
        let by_issue = get(
            server,
            "events/?dataset=errors&field=issue&field=title&field=count()&sort=-count()",
        );
        assert_eq!(by_issue["data"][0]["issue"], "SHOP-1");
        assert_eq!(
            (&by_issue["data"][0]["count()"], &by_issue["data"][1]["count()"]),
            (&json!(5), &json!(2))
        );
        // What several hashes of one issue share counts once.
        let merged = server.api(
            "PUT",
            "organizations/acme/issues/?id=1&id=2",
            Some(&json!({ "merge": 1 })),
        );
        assert_eq!(merged.status, 200, "{}", merged.json());
        let one = get(
            server,
            "events/?field=issue&field=count()&field=count_unique(user)&sort=-count()",
        );
        assert_eq!(one["data"].as_array().unwrap().len(), 1);
        assert_eq!(
            (&one["data"][0]["count()"], &one["data"][0]["count_unique(user)"]),
            (&json!(7), &json!(3))
        );
        let by_tag = get(
            server,
            "events/?field=region&field=tags[region]&field=count()&query=error.type:Crash",
        );
        assert_eq!(by_tag["data"].as_array().unwrap().len(), 2);

        // Rows have pages.
        let first = server.api(
            "GET",
            "organizations/acme/events/?field=id&field=timestamp&field=issue&sort=-timestamp&per_page=5",
            None,
        );
        assert_eq!(first.json()["data"].as_array().unwrap().len(), 5);
        assert!(
            first
                .header("link")
                .unwrap()
                .contains("rel=\"next\"; results=\"true\"; cursor=\"0:5:0\"")
        );
        let rest = get(server, "events/?field=id&sort=-timestamp&per_page=5&cursor=0:5:0");
        assert_eq!(rest["data"].as_array().unwrap().len(), 2);
        assert_eq!(rest["data"][0]["project.name"], "shop");

        let series = get(
            server,
            "events-timeseries/?yAxis=count()&statsPeriod=2h&interval=1h",
        );
        let values = series["timeSeries"][0]["values"].as_array().unwrap();
        assert_eq!(
            values.iter().map(|v| v["value"].as_i64().unwrap()).sum::<i64>(),
            7
        );
        let top = get(
            server,
            "events-timeseries/?yAxis=count()&statsPeriod=2h&interval=1h&topEvents=1&groupBy=release",
        );
        assert_eq!(top["timeSeries"].as_array().unwrap().len(), 1);
        assert_eq!(
            top["timeSeries"][0]["groupBy"],
            json!([{ "key": "release", "value": "shop@1" }])
        );
        let stats = get(
            server,
            "events-stats/?yAxis=count()&statsPeriod=2h&interval=1h&query=release:shop@2",
        );
        let sum: i64 = stats["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p[1][0]["count"].as_i64().unwrap())
            .sum();
        assert_eq!(sum, 3);
        let summary = get(server, "stats-summary/?field=sum(quantity)&statsPeriod=1d");
        assert_eq!(summary["projects"][0]["stats"][0]["totals"]["sum(quantity)"], 7);

        let said = get(
            server,
            "events/validate/?dataset=errors&field=title&field=count()&query=is:unresolved&orderby=-count()",
        );
        assert_eq!(
            (&said["valid"], &said["field"][1]["attrType"]),
            (&json!(true), &json!("number"))
        );
        for wrong in [
            "field=p95()",
            "field=p42(x)",
            "field=failure_rate()",
            "field=percentile(x,2)",
            "field=count_if(level,equals)",
            "field=count_if(level,like,error)",
            "field=count_if(is,equals,nonsense)",
            "field=id&dataset=nonsense",
            "field=id&query=(",
            "",
            "field=id&sort=-release",
        ] {
            let reply = server.api("GET", &format!("organizations/acme/events/?{wrong}"), None);
            assert_eq!(reply.status, 400, "{wrong}: {}", reply.json());
        }
        // What is not kept is empty, and says of what.
        let spans = get(server, "events/?dataset=spans&field=id&field=span.op");
        assert_eq!(
            (&spans["data"], &spans["meta"]["fields"]["span.op"]),
            (&json!([]), &json!("string"))
        );
    });
}

#[test]
fn conditions_and_percentiles_are_those_of_what_was_sent() {
    on_both(|server, _| {
        for n in 1..=10 {
            let mut event = error(n, if n <= 6 { "Boom" } else { "Crash" });
            event["level"] = json!(if n <= 3 { "warning" } else { "error" });
            event["release"] = json!(if n % 2 == 0 { "shop@2" } else { "shop@1" });
            // One event has none.
            if n < 10 {
                event["tags"]["duration"] = json!((n * 10).to_string());
            }
            server.send(&event);
        }
        let row = |fields: &[&str], more: &str| {
            let names: String = fields.iter().map(|f| format!("&field={f}")).collect();
            get(server, &format!("events/?statsPeriod=1d{names}{more}"))
        };
        server.until("ten events", |s| {
            let path = "organizations/acme/events/?field=count()";
            (s.api("GET", path, None).json()["data"][0]["count()"] == 10).then_some(())
        });
        let counted = [
            ("count_if(level,equals,warning)", json!(3)),
            ("count_if(level,notEquals,warning)", json!(7)),
            ("count_if(tags[duration],greater,70)", json!(2)),
            ("count_if(duration,greaterOrEquals,70)", json!(3)),
            ("count_if(duration,less,20)", json!(1)),
            ("count_if(duration,lessOrEquals,20)", json!(2)),
            ("count_if(error.type,equals,\"Boom\")", json!(6)),
            // A star is a star.
            ("count_if(error.type,equals,B*)", json!(0)),
            ("count_if(issue,equals,SHOP-1)", json!(6)),
            ("count_if(error.unhandled,equals,true)", json!(0)),
            ("p50(duration)", json!(50)),
            ("median(duration)", json!(50)),
            ("p75(tags[duration])", json!(70)),
            ("percentile(duration, 0.9)", json!(82)),
            ("p100(duration)", json!(90)),
            // Of those that have a number.
            ("avg(duration)", json!(50.0)),
            ("p95(nothing)", json!(null)),
        ];
        let names: Vec<&str> = counted.iter().map(|c| c.0).collect();
        let found = row(&names, "");
        for (name, value) in &counted {
            assert_eq!(found["data"][0][name], *value, "{name}: {}", found["data"]);
        }
        assert_eq!(
            found["meta"]["fields"]["count_if(level,equals,warning)"],
            "integer"
        );
        assert_eq!(found["meta"]["fields"]["p50(duration)"], "number");
        let said = get(
            server,
            "events/validate/?field=count_if(level,equals,warning)&field=p95(duration)",
        );
        assert_eq!(
            (&said["valid"], &said["field"][1]["attrType"]),
            (&json!(true), &json!("number"))
        );
        let reply = server.api(
            "GET",
            "organizations/acme/events/validate/?field=count_if(is,equals,nonsense)",
            None,
        );
        assert_eq!(reply.json()["field"][0]["valid"], false, "{}", reply.json());

        let grouped = row(
            &["release", "count_if(level,equals,warning)", "p50(duration)"],
            "&query=!release:x&sort=-count_if_level_equals_warning",
        );
        assert_eq!(
            grouped["data"],
            json!([
                { "release": "shop@1", "count_if(level,equals,warning)": 2, "p50(duration)": 50 },
                { "release": "shop@2", "count_if(level,equals,warning)": 1, "p50(duration)": 50 },
            ])
        );
        // Percentiles of the hashes of one issue are those of all its events.
        let body = json!({ "merge": 1 });
        let merged = server.api("PUT", "organizations/acme/issues/?id=1&id=2", Some(&body));
        assert_eq!(merged.status, 200, "{}", merged.json());
        let one = row(
            &[
                "issue",
                "p50(duration)",
                "count_if(level,equals,warning)",
                "avg(duration)",
            ],
            "",
        );
        assert_eq!(one["data"].as_array().map(Vec::len), Some(1), "{one}");
        let one = &one["data"][0];
        assert_eq!(
            (
                &one["p50(duration)"],
                &one["count_if(level,equals,warning)"],
                &one["avg(duration)"]
            ),
            (&json!(50), &json!(3), &json!(50.0))
        );

        let sum = |path: &str| -> f64 {
            let series = get(server, path);
            let values = series["timeSeries"][0]["values"].as_array().unwrap();
            values.iter().map(|v| v["value"].as_f64().unwrap()).sum()
        };
        let period = "statsPeriod=2h&interval=7d";
        let of = |axis: &str| sum(&format!("events-timeseries/?{period}&yAxis={axis}"));
        assert_eq!(
            (of("count_if(level,equals,warning)"), of("p50(duration)")),
            (3.0, 50.0)
        );
        let stats = get(
            server,
            "events-stats/?statsPeriod=2h&interval=1h&yAxis=count_if(level,equals,error)",
        );
        let points = stats["data"].as_array().unwrap();
        assert_eq!(
            points
                .iter()
                .map(|p| p[1][0]["count"].as_i64().unwrap())
                .sum::<i64>(),
            7
        );
    });
}
