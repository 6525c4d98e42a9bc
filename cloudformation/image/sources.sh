# shellcheck shell=bash
# The one seam: everything that an image gets from elsewhere than Ubuntu's archive and the Python package index.
# install.sh sources this file, or the one that INTENT_SOURCES names, which defines the same functions.
#
# Each leaves one checked .deb in the directory $1, or none if that package is to be left out, and fails if a check does.

readonly MODEL_SERVER_URL=https://storage.googleapis.com/tensorflow-serving-apt
readonly MODEL_SERVER_KEY=916E2B2FEBC274930BACA9D9544B7F63BF9E4D5F
readonly AGENT_URL=https://amazoncloudwatch-agent.s3.amazonaws.com
readonly AGENT_KEY=937616F3450B7D806CBD9725D58167303B789C72

download() {
    curl --fail --silent --show-error --location --retry 5 --retry-all-errors --proto '=https' --output "$2" "$1"
}

# Writes the key at $1 to the keyring $3; fails unless it is the key $2, and no other.
fetch_key() {
    local home found
    home=$(mktemp -d)
    download "$1" "$home/key"
    found=$(gpg --homedir "$home" --batch --quiet --with-colons --show-keys "$home/key" |
        awk -F: '$1 == "pub" {p = 1} $1 == "fpr" && p {print $10; p = 0}')
    [[ $found == "$2" ]] || fail "the signing key at $1 has the fingerprint ${found:-none}, not $2; do not use it"
    if grep --quiet --text 'BEGIN PGP PUBLIC KEY' "$home/key"; then
        gpg --homedir "$home" --batch --quiet --yes --dearmor --output "$3" "$home/key"
    else
        cp "$home/key" "$3"
    fi
    chmod 644 "$3"
    rm -rf "$home"
}

# The stock model server, version $2. Checked by its apt source's signature, or, if $3 is given, by that SHA-256: for a
# version that the source no longer lists, and for the weeks each summer in which its signing key has expired.
fetch_model_server() {
    local directory=$1 version=$2 sha256=${3:-} file
    file=tensorflow-model-server_${version}_all.deb
    if [[ -n $sha256 ]]; then
        download "$MODEL_SERVER_URL/pool/tensorflow-model-server-$version/t/tensorflow-model-server/$file" "$directory/$file"
        sha256sum --check --quiet <<<"$sha256  $directory/$file" || fail "$file is not the one of ModelServerSha256"
        return
    fi
    local keyring=/usr/share/keyrings/tensorflow-serving.gpg list=/etc/apt/sources.list.d/tensorflow-serving.list
    fetch_key "$MODEL_SERVER_URL/tensorflow-serving.release.pub.gpg" "$MODEL_SERVER_KEY" "$keyring"
    echo "deb [arch=amd64 signed-by=$keyring] $MODEL_SERVER_URL stable tensorflow-model-server" >"$list"
    # apt checks the package against the signed index, and writes as a user of its own.
    chown _apt "$directory"
    local said=
    if ! apt_get -o APT::Update::Error-Mode=any -o "Dir::Etc::sourcelist=$list" -o Dir::Etc::sourceparts=- update; then
        said="the model server's apt source cannot be checked; if its key has expired, set ModelServerSha256"
    elif ! (cd "$directory" && apt_get download "tensorflow-model-server=$version"); then
        said="the apt source has no version $version any more; set ModelServerSha256 to take it from its pool"
    fi
    # Nothing else is to come from there.
    rm -f "$list" "$keyring"
    chown root "$directory"
    [[ -z $said ]] || fail "$said"
}

# The CloudWatch agent, the newest version: its maker keeps no list, and it is checked by signature.
fetch_agent() {
    local directory=$1 file=amazon-cloudwatch-agent.deb aside status
    aside=$(mktemp -d)
    fetch_key "$AGENT_URL/assets/amazon-cloudwatch-agent.gpg" "$AGENT_KEY" "$aside/keyring"
    download "$AGENT_URL/ubuntu/amd64/latest/$file" "$directory/$file"
    download "$AGENT_URL/ubuntu/amd64/latest/$file.sig" "$aside/signature"
    status=$(gpgv --keyring "$aside/keyring" --status-fd 1 "$aside/signature" "$directory/$file" 2>/dev/null) || true
    rm -rf "$aside"
    # GOODSIG is said of a valid signature by a key that is neither expired nor revoked.
    if ! grep -q '^\[GNUPG:\] GOODSIG ' <<<"$status" || ! grep -q "^\[GNUPG:\] VALIDSIG .*$AGENT_KEY\$" <<<"$status"; then
        fail "the signature of $file is not good: $status"
    fi
}
