"""Lint of the template, by cfn-lint, with every combination of the parameters that switch a resource or a property.

Without values cfn-lint checks each condition by itself; with them it sees the template as it would be deployed: which
properties stand beside each other, and what values they have. It takes a combination from a deployment file, and all of
them in one process. (`sam validate --lint` is the same cfn-lint, which it gives no values.)
"""

import itertools
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from cfnlint.decode import decode

TEMPLATE = Path(__file__).resolve().parent / "template.yaml"
KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
FORMER_KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/0987dcba-09fe-87dc-65ba-ab0987654321"
LAYER_ARN = "arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-collector-arm64-ver-0-117-0:1"
TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:alarms"

OIDC = {
    "OidcIssuer": "https://login.lender.example",
    "OidcClientId": "loanhook",
    "OidcClientSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:loanhook-oidc-AbCdEf",
    "OidcGrants": "groups=servicing acme history:read",
}

# Both sides of each choice. Every parameter that a condition of the template reads is in one of them.
CHOICES = [
    [{"AdminKeyHash": "0" * 64}, {"AdminKey": "lh_0123456789abcdef"}],
    # One choice, since no resource has to do with both: one more would be twice as many combinations.
    [{"StaticEgress": "false", "OidcClientSecretArn": ""}, {"StaticEgress": "true", **OIDC}],
    [{"KmsKeyArn": "", "FormerKmsKeyArn": ""}, {"KmsKeyArn": KEY_ARN, "FormerKmsKeyArn": FORMER_KEY_ARN}],
    [{"AwsManagedTableKey": "false"}, {"AwsManagedTableKey": "true"}],
    [{"AlarmTopic": ""}, {"AlarmTopic": TOPIC_ARN}],
    [{"CollectorLayer": ""}, {"CollectorLayer": LAYER_ARN}],
    [{"IntakeReservedConcurrency": "0"}, {"IntakeReservedConcurrency": "20"}],
    [{"WarmWriteUnits": "0"}, {"WarmWriteUnits": "20000"}],
    [{"MaxWriteUnits": "0"}, {"MaxWriteUnits": "40000"}],
    [{"MaxReadUnits": "0"}, {"MaxReadUnits": "40000"}],
]


def main():
    unlisted = switching_parameters() - {name for choice in CHOICES for side in choice for name in side}
    if unlisted:
        sys.exit(f"{sys.argv[0]}: conditions read {', '.join(sorted(unlisted))}: add both sides of each to CHOICES")
    with tempfile.TemporaryDirectory() as folder:
        files = [
            deployment_file(Path(folder, f"{number}.json"), sides)
            for number, sides in enumerate(itertools.product(*CHOICES))
        ]
        status = subprocess.run([Path(sys.executable).parent / "cfn-lint", "--deployment-files", *files]).returncode
    if status == 0:
        print(f"cfn-lint: clean with {len(files)} combinations of parameters")
    sys.exit(status)


def switching_parameters():
    """The parameters that conditions of the template read."""
    template, errors = decode(str(TEMPLATE))
    if errors:
        sys.exit(f"{sys.argv[0]}: the template cannot be read: {errors}")
    return set(references(template["Conditions"]))


def references(value):
    """The names that `Ref` has in a value, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from [inner] if name == "Ref" else references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def deployment_file(path, sides):
    """Writes a combination to a file in the form of a deployment of CloudFormation's Git sync; returns its name."""
    parameters = {name: value for side in sides for name, value in side.items()}
    path.write_text(json.dumps({"template-file-path": str(TEMPLATE), "parameters": parameters, "tags": {}}))
    return str(path)


if __name__ == "__main__":
    main()
