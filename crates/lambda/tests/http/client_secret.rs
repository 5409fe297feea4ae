//! The secret of the OpenID client, as the history function reads it.

use loanhook_aws::{read_secret, sdk_config};
use loanhook_aws_testing::AwsEngine;

#[test]
fn the_client_secret_is_read_as_it_is_now() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let config = sdk_config();
        let secrets = aws_sdk_secretsmanager::Client::new(&config);
        let name = format!("loanhook-test-{}", std::process::id());
        let made = secrets.create_secret().name(name).secret_string("the first\n").send().await;
        let arn = made.expect("it is made").arn.expect("it has an ARN");
        assert_eq!(read_secret(&config, &arn).await.as_deref(), Ok("the first"));
        let put = secrets.put_secret_value().secret_id(&arn).secret_string("the second");
        put.send().await.expect("it is put");
        assert_eq!(read_secret(&config, &arn).await.as_deref(), Ok("the second"));
        let none = read_secret(&config, &arn.replace("loanhook-test", "no-such")).await;
        let error = none.expect_err("there is none");
        assert!(error.contains("no-such"), "{error}");
        Ok(())
    });
}
