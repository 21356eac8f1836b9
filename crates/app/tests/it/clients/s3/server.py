"""S3 by moto, with a bucket and a user who may read it; whoever signs otherwise is refused.

server.py FILE KEY...; prints its port and the two keys of the user, a line each. The file is in the bucket `symbols`
under each key.
"""

import json
import os
import sys
import threading

os.environ.update(
    AWS_ACCESS_KEY_ID="setup", AWS_SECRET_ACCESS_KEY="setup", AWS_DEFAULT_REGION="eu-central-1"
)

import boto3
import moto.settings
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

file, keys = sys.argv[1], sys.argv[2:]
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.port}"

s3 = boto3.client("s3", endpoint_url=address)
s3.create_bucket(Bucket="symbols", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
for key in keys:
    with open(file, "rb") as body:
        s3.put_object(Bucket="symbols", Key=key, Body=body)

iam = boto3.client("iam", endpoint_url=address)
iam.create_user(UserName="reader")
may_read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::symbols/*"}
policy = json.dumps({"Version": "2012-10-17", "Statement": [may_read]})
iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=policy)
key = iam.create_access_key(UserName="reader")["AccessKey"]

# From here on every request is checked.
moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
print(server.port, key["AccessKeyId"], key["SecretAccessKey"], sep="\n", flush=True)
threading.Event().wait()
